// A worker that has its share looks when a lease of another one may end, is woken by workers that come and go, and polls as usual while
// wake-ups may be missed.
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { pino } from 'pino';
import { MemoryLeaseTable } from '../../../platform/checks/memory-leases.ts';
import { ShardHolder } from '../../../platform/checks/shard-holder.ts';
import { HandWake } from '../../support/product/hand-wake.ts';

const everyMs = 500;
const leaseMs = 1_700;
const shardCount = 4;
const log = pino({ level: 'silent' });
let table: MemoryLeaseTable;
let wake: HandWake;
let holders: ShardHolder[];
/** Looks for leases, by worker. */
let looks: number[];
/** Whether a lease is sought, by worker and lease. */
let sought: Map<string, () => boolean>;

beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ['performance'] });
  table = new MemoryLeaseTable();
  wake = new HandWake();
  holders = [];
  looks = [];
  sought = new Map();
});

afterEach(async () => {
  for (const holder of holders) await holder.stop();
  jest.useRealTimers();
});

async function startWorker(usedShards?: () => Promise<ReadonlySet<number> | undefined>): Promise<ShardHolder> {
  const at = looks.push(0) - 1;
  const owner = `00000000-0000-0000-0000-00000000000${at}`;
  const leases = table.of(owner);
  const holder = new ShardHolder({
    ...{ tenant: 'test', owner, shardCount, log, everyMs, wake, usedShards, onChange: () => undefined },
    leases: {
      acquire: (name, options) => {
        if (options?.isSought !== undefined) sought.set(`${at} ${name}`, options.isSought);
        return leases.acquire(name);
      },
      live: async (prefix) => {
        looks[at] = (looks[at] ?? 0) + 1;
        return (await leases.live(prefix)).map((lease) => ({ ...lease, leftMs: leaseMs }));
      },
    },
  });
  holders.push(holder);
  holder.start();
  await jest.advanceTimersByTimeAsync(2 * everyMs);
  return holder;
}

test('one worker with all shards looks every two seconds', async () => {
  const holder = await startWorker();
  expect(holder.heldShards()).toHaveLength(shardCount);
  const before = looks[0] ?? 0;
  await jest.advanceTimersByTimeAsync(1 * everyMs);
  expect(looks[0]).toBe(before);
  await jest.advanceTimersByTimeAsync(2 * everyMs);
  expect(looks[0]).toBe(before + 1);
});

test('a worker that comes wakes the other, which gives it its share at once', async () => {
  const one = await startWorker();
  const two = await startWorker();
  expect([one, two].map((each) => each.heldShards().length)).toEqual([shardCount / 2, shardCount / 2]);
});

test('of two settled workers, each looks when a lease of the other may end', async () => {
  await startWorker();
  await startWorker();
  await jest.advanceTimersByTimeAsync(leaseMs);
  const before = [...looks];
  await jest.advanceTimersByTimeAsync(leaseMs + 10);
  expect(looks).toEqual(before.map((count) => count + 1));
});

test('a worker that stops wakes the other, which takes its shards at once', async () => {
  const one = await startWorker();
  const two = await startWorker();
  await one.stop();
  await jest.advanceTimersByTimeAsync(0);
  expect(two.heldShards()).toHaveLength(shardCount);
});

test('while wake-ups may be missed, it looks at its interval', async () => {
  await startWorker();
  wake.lose();
  await jest.advanceTimersByTimeAsync(0);
  const before = looks[0] ?? 0;
  await jest.advanceTimersByTimeAsync(4 * everyMs);
  expect(looks[0]).toBe(before + 4);
});

test('workers hold no shards without targets, and take their share when they are told of the first', async () => {
  let used = new Set<number>();
  const [one, two] = [await startWorker(async () => used), await startWorker(async () => used)];
  const held = () => [one, two].map((each) => each.heldShards());
  const live = () => table.of('other').live('checks/');
  expect([held(), await live()]).toEqual([[[], []], []]);
  used = new Set([2]);
  one.look();
  await jest.advanceTimersByTimeAsync(0);
  expect(held()).toEqual([[2], []]);
  used = new Set([0, 1, 3]);
  await jest.advanceTimersByTimeAsync(8 * everyMs);
  expect(held().flat().toSorted()).toEqual([0, 1, 3]);
  expect(Math.min(...held().map(({ length }) => length))).toBe(1);
  used = new Set();
  await jest.advanceTimersByTimeAsync(8 * everyMs);
  expect([held(), await live()]).toEqual([[[], []], []]);
});

test('a lease is sought by others while there are other workers', async () => {
  await startWorker();
  expect([...sought.values()].map((isSought) => isSought())).toEqual(Array(shardCount + 1).fill(false));
  const two = await startWorker();
  expect(new Set([...sought.values()].map((isSought) => isSought()))).toEqual(new Set([true]));
  await two.stop();
  await jest.advanceTimersByTimeAsync(0);
  expect([...sought].filter(([name, isSought]) => name.startsWith(`0 `) && isSought())).toEqual([]);
});
