// Deletions are forgotten only when every member has confirmed them, and the floor keeps late messages out.
import { expect, test } from '@jest/globals';
import { pino } from 'pino';
import type { TombstonePeer } from '../../../../../subgraphs/object-storage/engine/store/catch-up.ts';
import type { RegisterKey } from '../../../../../subgraphs/object-storage/engine/store/register.ts';
import {
  type Membership,
  TombstoneCollector,
} from '../../../../../subgraphs/object-storage/engine/store/tombstone-collector.ts';
import { partitionsOf, StoreProcess, scopeOf, storeDatabase } from './store-database.ts';

const ring = 1;
const epoch = 1;
const scope = scopeOf(5);
const key = { ring, scope, name: 'gone' };
const never = new AbortController().signal;

async function threeClusters(cleanup: AsyncDisposableStack): Promise<readonly StoreProcess[]> {
  const open = async (cluster: number) => {
    const process = cleanup.use(new StoreProcess(await storeDatabase(cleanup), cluster));
    await process.partitions.enterRing({ ring, epoch, held: partitionsOf([key]) });
    return process;
  };
  return Promise.all([0, 1, 2].map(open));
}

interface Wish {
  readonly membership?: Membership | undefined;
  readonly away?: number;
  readonly settle?: (key: RegisterKey) => Promise<unknown>;
}

/** One round of all clusters. Returns how many confirmed deletions each has found. */
async function rounds(clusters: readonly StoreProcess[], wish: Wish = {}): Promise<number> {
  const { away, settle = () => Promise.resolve() } = wish;
  const membership = 'membership' in wish ? wish.membership : { epoch, members: [0, 1, 2] };
  const peers = new Map<number, TombstonePeer>(
    clusters.filter(({ cluster }) => cluster !== away).map(({ cluster, tombstones }) => [cluster, tombstones]),
  );
  let forgotten = 0;
  for (const { db, tombstones, cluster } of clusters) {
    const collector = new TombstoneCollector({
      ...{ db, tombstones, cluster, settle, log: pino({ level: 'silent' }), afterMs: -1_000 },
      ...{ membersOf: () => membership, peers: () => peers },
    });
    forgotten += await collector.round(never);
  }
  return forgotten;
}

test("a deletion is forgotten once all have it, and older versions can't come back", async () => {
  await using cleanup = new AsyncDisposableStack();
  const clusters = await threeClusters(cleanup);
  const [first, , last] = clusters;
  if (first === undefined || last === undefined) throw new Error('no clusters');
  const [written, deleted] = [first.clock.next(), first.clock.next()];
  for (const each of clusters) await each.accept(key, written, '{}');
  for (const each of clusters.slice(0, 2)) await each.accept(key, deleted, undefined);
  expect(await rounds(clusters)).toBe(0);
  await last.accept(key, deleted, undefined);
  expect(await rounds(clusters, { away: 1 })).toBe(0);
  expect(await rounds(clusters, { membership: undefined })).toBe(0);
  expect(await rounds(clusters, { membership: { epoch: 2, members: [0, 1, 2] } })).toBe(0);
  expect(await last.rows()).toHaveLength(1);
  expect(await rounds(clusters)).toBe(1);
  for (const each of clusters) {
    expect(await each.rows()).toEqual([]);
    expect(await each.accept(key, written, '{}')).toEqual({ row: undefined, floor: deleted, done: false });
    expect(await each.accept(key, each.clock.next(), '{}')).toMatchObject({ done: true });
  }
});

test('a deletion with an open promise stays until the name gets a later version', async () => {
  await using cleanup = new AsyncDisposableStack();
  const clusters = await threeClusters(cleanup);
  const [first] = clusters;
  if (first === undefined) throw new Error('no clusters');
  const deleted = first.clock.next();
  for (const each of clusters) await each.accept(key, deleted, undefined);
  const ballot = first.clock.next();
  for (const each of clusters) await each.replica.ask({ op: 'promise', key, epoch, ballot });
  const settled: RegisterKey[] = [];
  const settle = async (which: RegisterKey) => {
    settled.push(which);
    const later = first.clock.next();
    for (const each of clusters) await each.accept(which, later, undefined);
  };
  expect(await rounds(clusters, { settle })).toBe(0);
  expect(settled).toEqual([key]);
  expect(await rounds(clusters, { settle })).toBe(1);
  for (const each of clusters) expect(await each.rows()).toEqual([]);
});

test('the gate of a deleted container stays, and everything behind it is removed', async () => {
  await using cleanup = new AsyncDisposableStack();
  const clusters = await threeClusters(cleanup);
  const [first, second] = clusters;
  if (first === undefined || second === undefined) throw new Error('no clusters');
  const deleted = first.clock.next();
  for (const each of [first, second]) await each.accept(key, deleted, undefined);
  const gone = first.clock.next();
  for (const each of clusters) await each.accept({ ...key, name: '' }, gone, '{"state":"DELETED"}');
  expect(await rounds(clusters)).toBe(1);
  for (const each of clusters) {
    expect(await each.rows()).toMatchObject([{ name: '', head: '{"state":"DELETED"}' }]);
    expect(await each.accept(key, each.clock.next(), '{}')).toEqual({ refused: 'CLOSED' });
  }
});

test('an abandoned promise is removed, and still keeps out the same versions', async () => {
  await using cleanup = new AsyncDisposableStack();
  const clusters = await threeClusters(cleanup);
  const [first] = clusters;
  if (first === undefined) throw new Error('no clusters');
  const [before, ballot] = [first.clock.next(), first.clock.next()];
  await first.replica.ask({ op: 'promise', key, epoch, ballot });
  await rounds(clusters);
  expect(await first.db.query('SELECT name FROM store_register')).toEqual([]);
  expect(await first.accept(key, before, '{}')).toEqual({ row: undefined, floor: ballot, done: false });
});
