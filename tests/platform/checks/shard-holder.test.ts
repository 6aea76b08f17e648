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

beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ['performance'] });
  table = new MemoryLeaseTable();
  wake = new HandWake();
  holders = [];
  looks = [];
});

afterEach(async () => {
  for (const holder of holders) await holder.stop();
  jest.useRealTimers();
});

async function startWorker(): Promise<ShardHolder> {
  const at = looks.push(0) - 1;
  const owner = `00000000-0000-0000-0000-00000000000${at}`;
  const leases = table.of(owner);
  const holder = new ShardHolder({
    ...{ tenant: 'test', owner, shardCount, log, everyMs, wake, onChange: () => undefined },
    leases: {
      acquire: leases.acquire,
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

test('one worker with all shards looks every three seconds', async () => {
  const holder = await startWorker();
  expect(holder.heldShards()).toHaveLength(shardCount);
  const before = looks[0] ?? 0;
  await jest.advanceTimersByTimeAsync(3 * everyMs);
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
