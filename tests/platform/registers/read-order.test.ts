// Which replicas a read asks: the nearest ones that can decide it, and the others only if these leave it open.
import { expect, test } from '@jest/globals';
import { NotSentError } from '../../../platform/registers/errors.ts';
import { type Answer, Registers } from '../../../platform/registers/registers.ts';
import { noVersion, VersionClock } from '../../../platform/registers/version.ts';

const clock = new VersionClock({ cluster: 0, nowMs: () => 1_000_000, chance: () => '000000000000' });
const [older, newer] = [clock.next(), clock.next()];

/** `told`: the answer of each cluster, or undefined for no answer. `late`: every wait ends at once, as if the answer was late. */
function reading(
  told: readonly (string | undefined | Error)[],
  {
    groups = [[0, 1, 2]],
    late = false,
  }: { readonly groups?: readonly (readonly number[])[]; readonly late?: boolean } = {},
) {
  const asked: number[] = [];
  const accepted: number[] = [];
  let waits = 0;
  const answer = (version: string): Answer<string> => ({
    ...{ row: { version, promised: noVersion, value: `of ${version}` }, floor: noVersion, done: true },
  });
  const registers = new Registers<string>({
    clock,
    placements: { of: () => Promise.resolve({ epoch: 1, groups }) },
    replicas: {
      async read(cluster) {
        asked.push(cluster);
        const version = told[cluster];
        if (version instanceof Error) throw version;
        return version === undefined ? new Promise<never>(() => undefined) : answer(version);
      },
      promise: () => Promise.reject(new Error('nobody is asked for a promise')),
      async accept(cluster, _name, _epoch, { version }) {
        accepted.push(cluster);
        return answer(version);
      },
    },
    readOrder: (clusters) => clusters.toReversed(),
    after: (_, act) => {
      waits += 1;
      if (late) setImmediate(act);
      return () => {
        waits -= 1;
      };
    },
  });
  return { asked, accepted, read: () => registers.read('a name'), waits: () => waits };
}

test('the first clusters in the order that form a majority are asked, and no others', async () => {
  const { asked, read, waits } = reading([newer, newer, newer]);
  expect(await read()).toEqual({ version: newer, value: `of ${newer}` });
  expect(asked).toEqual([2, 1]);
  expect(waits()).toBe(0);
});

test('while a ring changes, enough for a majority of both are asked', async () => {
  const { asked, read } = reading([newer, newer, newer, newer], {
    groups: [
      [0, 1, 2],
      [1, 2, 3],
    ],
  });
  await read();
  expect(asked).toEqual([3, 2, 1]);
});

test('the others are asked when one has failed or is late', async () => {
  const failed = reading([newer, new NotSentError('it is away'), newer]);
  expect((await failed.read()).version).toBe(newer);
  expect(failed.asked).toEqual([2, 1, 0]);
  const silent = reading([newer, undefined, newer], { late: true });
  expect((await silent.read()).version).toBe(newer);
  expect(silent.asked).toEqual([2, 1, 0]);
});

test('a value that only one of them has is brought to a majority before it is returned', async () => {
  const { asked, accepted, read } = reading([older, older, newer]);
  expect(await read()).toEqual({ version: newer, value: `of ${newer}` });
  expect(asked).toEqual([2, 1]);
  expect(accepted.sort()).toEqual([0, 1]);
});

test('without a majority the read fails once all have answered', async () => {
  const { asked, read } = reading([new NotSentError('it is away'), new NotSentError('it is away'), newer]);
  await expect(read()).rejects.toThrow('too few clusters answered');
  expect(asked).toEqual([2, 1, 0]);
});
