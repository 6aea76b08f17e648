// The faults of the high availability trial. An engine without the component of a fault is not reported as having
// passed it.
import { expect, test } from '@jest/globals';
import { faultKinds, kindsOf, single } from '../../trials/ha/faults.ts';
import type { Pair, Part } from '../../trials/ha/pair.ts';
import { seededRandom } from '../../trials/random.ts';

const all = Object.keys(faultKinds);
const engine = (parts: readonly Part[], more: Partial<Pair> = {}) => ({ parts: new Set(parts), ...more }) as Pair;
const nothing = async () => undefined;

test('Galera does not get the faults of an agent, etcd and keepalived, nor faults of features that it does not offer', () => {
  const kinds = kindsOf(engine(['mariadbd']), all);
  expect(kinds).toEqual(expect.arrayContaining(['kill-mariadbd', 'power-off', 'cut', 'pair', 'big-killed']));
  for (const absent of ['kill-agent', 'stop-etcd', 'cut-etcd', 'kill-keepalived', 'switchover', 'errant', 'clock'])
    expect(kinds).not.toContain(absent);
  const whole = engine(['mariadbd', 'agent', 'etcd', 'keepalived'], {
    ...{ switchover: nothing, skew: nothing },
    savedOf: async () => [],
  });
  expect(kindsOf(whole, all)).toEqual(all);
});

test('no pause is longer than allowed, and the same seed makes the same faults', () => {
  const singles = Object.keys(single);
  const names = (seed: number, longestMs: number) => {
    const random = seededRandom(seed);
    return all.map((name) => faultKinds[name]?.make(random, longestMs, singles).name ?? '');
  };
  expect(names(7, 2_000)).toEqual(names(7, 2_000));
  const stops = names(3, 2_000).flatMap((name) =>
    [...name.matchAll(/SIGSTOP [^,;]*, (\d+) ms/g)].map(([, ms]) => Number(ms)),
  );
  expect(stops.length).toBeGreaterThan(4);
  expect(Math.max(...stops)).toBeLessThanOrEqual(2_000);
});

test("a fault that can't be caused is not counted as passed", async () => {
  const system = engine(['mariadbd'], {
    pid: async () => undefined,
    network: { processes: async () => [] } as unknown as Pair['network'],
  });
  const fault = faultKinds['kill-mariadbd']?.make(seededRandom(1), 1_000, []);
  await expect(fault?.run(system, 'a', nothing)).rejects.toThrow('mariadbd of a does not run');
}, 20_000);
