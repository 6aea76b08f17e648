// The changes that a cluster sends to others that catch up. Its own changes are sent at once, those of its other
// processes a little later, and nothing twice.
import { expect, test } from '@jest/globals';
import { ChangeLog } from '../../../../../subgraphs/object-storage/engine/store/change-log.ts';
import { partitionOfScope } from '../../../../../subgraphs/object-storage/engine/store/scope-partition.ts';
import { waitFor } from '../../../../support/machine/temporary-folder.ts';
import { partitionsOf, StoreProcess, scopeOf, storeDatabase } from './store-database.ts';

const ring = 1;
const scopes = [1, 2, 3].map(scopeOf);
const [scope = '', other = ''] = scopes;
const held = partitionsOf(scopes.map((each) => ({ scope: each })));

/** Two processes of one cluster. */
async function twoProcesses(cleanup: AsyncDisposableStack): Promise<readonly [StoreProcess, StoreProcess]> {
  const connection = await storeDatabase(cleanup);
  const [one, two] = [cleanup.use(new StoreProcess(connection)), cleanup.use(new StoreProcess(connection))];
  await one.partitions.enterRing({ ring, epoch: 1, held });
  return [one, two];
}

/** The partitions that are reported after the mark, once there are any. */
async function toldAfter(log: ChangeLog, mark: string) {
  return waitFor('a change to be reported', async () => {
    const heads = await log.heads(mark);
    return heads.heads.length > 0 ? heads : undefined;
  });
}

test('a change of this process is reported without reading all partitions; an idle cluster reports nothing, by the same mark', async () => {
  await using cleanup = new AsyncDisposableStack();
  const [own] = await twoProcesses(cleanup);
  const log = new ChangeLog({ ...own, othersEveryMs: Number.MAX_SAFE_INTEGER });
  const first = await log.heads('');
  expect(first.heads.map(({ partition }) => partition).sort()).toEqual([...held].sort());
  expect(await log.heads(first.mark)).toMatchObject({ mark: first.mark, heads: [] });
  await own.accept({ ring, scope, name: 'photo' }, own.clock.next(), '{}');
  const second = await toldAfter(log, first.mark);
  expect(second.heads).toEqual([expect.objectContaining({ ring, partition: partitionOfScope(scope), changes: 1 })]);
  expect(await log.heads(second.mark)).toMatchObject({ mark: second.mark, heads: [] });
  // A cluster with a mark of another process gets everything.
  expect((await log.heads('elsewhere/7')).heads).toHaveLength(held.size);
});

test('a change of another process of the cluster is reported, and so is a new epoch', async () => {
  await using cleanup = new AsyncDisposableStack();
  const [own, another] = await twoProcesses(cleanup);
  const log = new ChangeLog({ ...own, othersEveryMs: 1 });
  const first = await log.heads('');
  await another.accept({ ring, scope, name: 'photo' }, another.clock.next(), '{}');
  const second = await toldAfter(log, first.mark);
  expect(second.heads).toEqual([expect.objectContaining({ partition: partitionOfScope(scope), changes: 1 })]);
  // One of each at once. Neither hides the other.
  await own.accept({ ring, scope, name: 'photo' }, own.clock.next(), '{"n":2}');
  await another.accept({ ring, scope: other, name: 'photo' }, another.clock.next(), '{}');
  const changed = new Map<number, number>();
  for (let { mark } = second; changed.size < 2; ) {
    const told = await toldAfter(log, mark);
    for (const { partition, changes } of told.heads) changed.set(partition, changes);
    mark = told.mark;
  }
  expect(changed).toEqual(
    new Map([
      [partitionOfScope(scope), 2],
      [partitionOfScope(other), 1],
    ]),
  );
  await another.partitions.enterRing({ ring, epoch: 2, held });
  const last = await waitFor('the new epoch to be reported', async () => {
    const { heads } = await log.heads('');
    return heads.every(({ epoch }) => epoch === 2) ? heads : undefined;
  });
  expect(last).toHaveLength(held.size);
});

test('it reports the time up to which its heads are complete, but not for rings in which a replica does not vote', async () => {
  await using cleanup = new AsyncDisposableStack();
  const [own, another] = await twoProcesses(cleanup);
  const log = new ChangeLog({ ...own, othersEveryMs: 60_000 });
  const first = await log.heads('');
  expect(first.whole?.rings).toEqual([{ ring, epoch: 1 }]);
  const beforeMs = performance.now();
  // It has not read the others' changes since then.
  await another.accept({ ring, scope, name: 'photo' }, another.clock.next(), '{}');
  let askedMs = 0;
  const second = await waitFor('another look', async () => {
    await own.accept({ ring, scope: other, name: 'photo' }, own.clock.next(), '{}');
    askedMs = performance.now();
    return toldAfter(log, first.mark);
  });
  expect(second.heads.some(({ partition }) => partition === partitionOfScope(other))).toBe(true);
  // Its age is counted from a moment after the request.
  expect(askedMs - (second.whole?.agoMs ?? 0)).toBeLessThan(beforeMs);
  await another.partitions.lose();
  expect((await new ChangeLog(own).heads('')).whole?.rings).toEqual([]);
});

test('a lost replica is no longer reported, by any process of the cluster', async () => {
  await using cleanup = new AsyncDisposableStack();
  const processes = await twoProcesses(cleanup);
  const logs = processes.map((each) => new ChangeLog({ ...each, othersEveryMs: 1 }));
  for (const log of logs) expect((await log.heads('')).heads).toHaveLength(held.size);
  expect(await processes[0].partitions.lose()).toEqual([ring]);
  for (const log of logs) await waitFor('nothing to be reported', async () => (await log.heads('')).heads.length === 0);
});

test('all partitions of a ring are reported with the number of their last change when its epoch changes, even thousands', async () => {
  await using cleanup = new AsyncDisposableStack();
  const [own, another] = await twoProcesses(cleanup);
  const log = new ChangeLog({ ...own, othersEveryMs: 1 });
  await another.accept({ ring, scope, name: 'photo' }, another.clock.next(), '{}');
  const all = new Set(Array.from({ length: 2_000 }, (_, partition) => partition).concat([...held]));
  await another.partitions.enterRing({ ring, epoch: 2, held: all, isEmpty: true });
  const heads = await waitFor('the new epoch to be reported', async () => {
    const told = await log.heads('');
    return told.heads.every(({ epoch }) => epoch === 2) ? told.heads : undefined;
  });
  expect(heads.map(({ partition }) => partition).sort()).toEqual([...all].sort());
  const written = partitionOfScope(scope);
  for (const { partition, changes } of heads)
    expect([partition, changes]).toEqual([partition, partition === written ? 1 : 0]);
});
