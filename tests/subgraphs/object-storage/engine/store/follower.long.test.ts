// One cluster catches up with another: changes and deletions that it missed while away, and changes that promises and
// gates kept out.
import { expect, test } from '@jest/globals';
import { pino } from 'pino';
import type { CatchUpPeer } from '../../../../../subgraphs/object-storage/engine/store/catch-up.ts';
import { Follower } from '../../../../../subgraphs/object-storage/engine/store/follower.ts';
import type { RegisterKey } from '../../../../../subgraphs/object-storage/engine/store/register.ts';
import { seededRandom } from '../../../../../trials/random.ts';
import { waitFor } from '../../../../support/machine/temporary-folder.ts';
import { partitionsOf, StoreProcess, scopeOf, storeDatabase } from './store-database.ts';

const ring = 1;
const scopes = Array.from({ length: 20 }, (_, number) => scopeOf(number + 1));
const held = partitionsOf(scopes.map((scope) => ({ scope })));
const [scope = ''] = scopes;
const never = new AbortController().signal;

interface Followed {
  readonly follower: Follower;
  /** The number of changes that were reported. */
  readonly told: () => number;
  readonly settled: RegisterKey[];
}

function follow(own: StoreProcess, other: StoreProcess, epoch = 1): Followed {
  let told = 0;
  const settled: RegisterKey[] = [];
  const peer: CatchUpPeer = {
    heads: (mark) => other.changeLog.heads(mark),
    changes: async (wanted) => {
      const pages = await other.changeLog.changes(wanted);
      told += pages.reduce((sum, { changes }) => sum + changes.length, 0);
      return pages;
    },
  };
  const follower = new Follower({
    ...{ db: own.db, partitions: own.partitions, clock: own.clock, log: pino({ level: 'silent' }) },
    ...{ cluster: other.cluster, peer, isMember: () => true, isChanging: () => false, againMs: 1 },
    settle: async (key) => {
      settled.push(key);
      const found = await other.replica.ask({ op: 'read', key, epoch });
      if (found.refused !== undefined) throw new Error(found.refused);
      await other.accept(key, own.clock.next(), found.row?.value?.head, epoch);
    },
  });
  return { follower, told: () => told, settled };
}

async function followAll({ follower }: Followed): Promise<void> {
  // Heads are read again a moment after the last time.
  for (let quiet = 0; quiet < 3; ) {
    if (await follower.follow(never)) quiet = 0;
    else {
      quiet += 1;
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
  }
}

async function twoClusters(cleanup: AsyncDisposableStack): Promise<readonly [StoreProcess, StoreProcess]> {
  const open = async (cluster: number) => {
    const process = cleanup.use(new StoreProcess(await storeDatabase(cleanup), cluster));
    await process.partitions.enterRing({ ring, epoch: 1, held });
    return process;
  };
  return [await open(0), await open(1)];
}

test('a cluster that was away becomes equal, and continues from its position when its process dies', async () => {
  await using cleanup = new AsyncDisposableStack();
  const [north, south] = await twoClusters(cleanup);
  const random = seededRandom(7);
  for (let round = 0; round < 20; round += 1)
    await Promise.all(
      Array.from({ length: 50 }, () => {
        const key = { ring, scope: random.pick(scopes), name: `photo ${random.integer(1, 300)}` };
        const isDeletion = random.next() < 0.2;
        return north.accept(key, north.clock.next(), isDeletion ? undefined : JSON.stringify({ round }));
      }),
    );
  const rows = await north.rows();
  expect(rows.some(({ head }) => head === null)).toBe(true);
  const before = follow(south, north);
  await before.follower.follow(never);
  expect(before.told()).toBeLessThan(rows.length);
  expect(before.follower.lag.changes).toBeGreaterThan(0);
  const after = follow(south, north);
  await followAll(after);
  expect(await south.rows()).toEqual(rows);
  expect(before.told() + after.told()).toBe(rows.length);
  expect(after.follower.lag).toMatchObject({ changes: 0, partitions: 0 });
  // Later changes come alone, and nothing comes back.
  await north.accept({ ring, scope, name: 'later' }, north.clock.next(), '{}');
  await followAll(after);
  await followAll(follow(north, south));
  expect(before.told() + after.told()).toBe(rows.length + 1);
  expect(await south.rows()).toEqual(await north.rows());
  expect(await north.rows()).toHaveLength(rows.length + 1);
});

test('a change that a promise keeps out gets a later version, and is then accepted', async () => {
  await using cleanup = new AsyncDisposableStack();
  const [north, south] = await twoClusters(cleanup);
  const key = { ring, scope, name: 'promised' };
  await north.accept(key, north.clock.next(), '{"n":1}');
  await south.replica.ask({ op: 'promise', key, epoch: 1, ballot: south.clock.next() });
  const followed = follow(south, north);
  await followed.follower.follow(never);
  expect(followed.settled).toEqual([key]);
  expect(followed.follower.lag.changes).toBeGreaterThan(0);
  await followAll(followed);
  expect(await south.rows()).toEqual(await north.rows());
  expect((await south.rows())[0]).toMatchObject({ head: '{"n":1}' });
  expect(followed.follower.lag.changes).toBe(0);
});

test('nothing enters a container while it is sealed here, even after a restart; held changes arrive when it is open again', async () => {
  await using cleanup = new AsyncDisposableStack();
  const [north, south] = await twoClusters(cleanup);
  const [gate, name] = ['', 'kept'].map((each) => ({ ring, scope, name: each }));
  if (gate === undefined || name === undefined) throw new Error('no keys');
  await north.accept(name, north.clock.next(), '{}');
  const sealed = south.clock.next();
  await south.accept(gate, sealed, '{"state":"SEALED"}');
  const list = () => south.replica.list({ ring, scope, epoch: 1, after: '', prefix: '', limit: 10, sealed });
  await followAll(follow(south, north));
  expect(await list()).toMatchObject({ rows: [], isWhole: true });
  const again = follow(south, north);
  await followAll(again);
  expect(await list()).toMatchObject({ rows: [] });
  expect(again.follower.lag.changes).toBeGreaterThan(0);
  await south.accept(gate, south.clock.next(), '{"state":"OPEN"}');
  const third = follow(south, north);
  await followAll(third);
  expect(await list()).toEqual({ refused: 'CLOSED' });
  expect(await south.replica.ask({ op: 'read', key: name, epoch: 1 })).toMatchObject({
    row: { value: { head: '{}' } },
  });
  expect(third.follower.lag.changes).toBe(0);
});

test('a partition that the cluster left and regained is followed from its beginning, and has nothing old', async () => {
  await using cleanup = new AsyncDisposableStack();
  const [north, south] = await twoClusters(cleanup);
  const [old, kept] = ['old', 'kept'].map((name) => ({ ring, scope, name }));
  if (old === undefined || kept === undefined) throw new Error('no keys');
  for (const key of [old, kept]) await north.accept(key, north.clock.next(), '{}');
  const followed = follow(south, north);
  await followAll(followed);
  await south.partitions.enterRing({ ring, epoch: 2, held: new Set() });
  await north.partitions.enterRing({ ring, epoch: 2, held });
  // Deleted and forgotten while south was not a member.
  const version = north.clock.next();
  await north.accept(old, version, undefined, 2);
  const place = { ring, partition: [...partitionsOf([old])][0] ?? -1 };
  const forgotten = { ...place, epoch: 2, tombstones: [{ scope, name: 'old', version }] };
  expect(await north.tombstones.confirms(forgotten)).toEqual([true]);
  await north.tombstones.forget(forgotten);
  expect(await south.replica.ask({ op: 'read', key: old, epoch: 2 })).toEqual({ refused: 'UNREADY' });
  for (const each of [north, south]) await each.partitions.enterRing({ ring, epoch: 3, held });
  const floors = await north.partitions.floors(ring, 3);
  await south.partitions.makeReady(floors.map((each) => ({ ...each, ring, epoch: 3 })));
  expect(await south.rows()).toEqual([]);
  expect(floors.find(({ partition }) => partition === place.partition)?.floor).toBe(version);
  // A member that stayed all the time reads its positions again.
  await followed.follower.follow(never);
  expect(followed.told()).toBe(3);
  const again = follow(south, north, 3);
  await again.follower.follow(never);
  // Older than the floor, so it needs a later version first.
  expect(again.settled).toEqual([kept]);
  await followAll(again);
  expect(await south.rows()).toEqual(await north.rows());
  expect(await south.replica.ask({ op: 'read', key: old, epoch: 3 })).toMatchObject({ row: undefined, floor: version });
});

test('a partition that this cluster gains is followed, even if the other had it before', async () => {
  await using cleanup = new AsyncDisposableStack();
  const [north, south] = await twoClusters(cleanup);
  const key = { ring, scope, name: 'moved' };
  await south.partitions.enterRing({ ring, epoch: 2, held: new Set() });
  const followed = follow(south, north, 2);
  await followAll(followed);
  await north.partitions.enterRing({ ring, epoch: 2, held });
  await north.accept(key, north.clock.next(), '{}', 2);
  await followAll(followed);
  expect(await south.rows()).toEqual([]);
  expect(followed.follower.lag).toMatchObject({ changes: 0, partitions: 0 });
  // The other cluster enters first, and reports it before this one enters.
  await north.partitions.enterRing({ ring, epoch: 3, held });
  await followAll(followed);
  await south.partitions.enterRing({ ring, epoch: 3, held });
  await south.partitions.makeReady(
    (await north.partitions.floors(ring, 3)).map((each) => ({ ...each, ring, epoch: 3 })),
  );
  await followAll(followed);
  expect(await south.rows()).toEqual(await north.rows());
  expect(await south.rows()).toHaveLength(1);
});

test('a partition is complete here up to the time that the other has certainly reported, in one epoch in which it votes', async () => {
  await using cleanup = new AsyncDisposableStack();
  const [north, south] = await twoClusters(cleanup);
  const place = { ring, partition: [...partitionsOf([{ scope }])][0] ?? -1 };
  const followed = follow(south, north);
  expect(followed.follower.asOf(place, 1)).toBeUndefined();
  const beganMs = performance.now();
  await followAll(followed);
  const first = followed.follower.asOf(place, 1) ?? 0;
  expect(first).toBeGreaterThan(0);
  expect(first).toBeLessThan(performance.now());
  expect([first > beganMs - 60_000, followed.follower.asOf(place, 2)]).toEqual([true, undefined]);
  // Missing or held changes keep it at the moment before them.
  const key = { ring, scope, name: 'promised' };
  await north.accept(key, north.clock.next(), '{"n":1}');
  const acknowledgedMs = performance.now();
  await south.replica.ask({ op: 'promise', key, epoch: 1, ballot: south.clock.next() });
  followed.follower.asOf(place, 1);
  await waitForChange(followed, 1);
  expect(followed.follower.asOf(place, 1)).toBeLessThan(acknowledgedMs);
  await followAll(followed);
  expect((await south.rows())[0]).toMatchObject({ head: '{"n":1}' });
  // Its knowledge about the others is refreshed after two seconds.
  await new Promise((resolve) => setTimeout(resolve, 2_100));
  await followAll(followed);
  expect(followed.follower.asOf(place, 1)).toBeGreaterThan(acknowledgedMs);
  // A lost cluster is not a witness any more. In a later epoch its former answers do not count either.
  await north.partitions.lose();
  await new Promise((resolve) => setTimeout(resolve, 2_100));
  await followAll(followed);
  expect(followed.follower.asOf(place, 1)).toBeLessThan(performance.now() - 300);
  await north.partitions.enterRing({ ring, epoch: 2, held, isRecovering: true, recovering: [0] });
  await new Promise((resolve) => setTimeout(resolve, 2_100));
  await followAll(followed);
  expect(followed.follower.asOf(place, 2)).toBeUndefined();
});

test('a change made while changes are reported, or reported in several pages, does not count as present here too early', async () => {
  await using cleanup = new AsyncDisposableStack();
  const [north, south] = await twoClusters(cleanup);
  const place = { ring, partition: [...partitionsOf([{ scope }])][0] ?? -1 };
  const hot = { ring, scope, name: 'hot' };
  const write = (key = hot) => north.accept(key, north.clock.next(), '{}');
  const versionHere = async () =>
    (await south.rows()).find(({ name }) => name === Buffer.from('hot').toString('hex').toUpperCase())?.version;
  await write();
  const followed = follow(south, north);
  const { changeLog } = north;
  const changes = changeLog.changes.bind(changeLog);
  // Other changes come, and then this one again, which is beyond the first page.
  changeLog.changes = async (wanted) => {
    changeLog.changes = changes;
    await Promise.all(Array.from({ length: 520 }, (_, number) => write({ ...hot, name: `other ${number}` })));
    await write();
    return changes(wanted);
  };
  await followed.follower.follow(never);
  expect(followed.told()).toBe(500);
  expect([await versionHere(), followed.follower.asOf(place, 1)]).toEqual([undefined, undefined]);
  expect(followed.follower.hasAll(place, 1)).toBe(false);
  await followAll(followed);
  const known = await versionHere();
  expect([typeof known, followed.follower.hasAll(place, 1)]).toEqual(['string', true]);
  expect(followed.follower.asOf(place, 1)).toBeGreaterThan(0);
  // Between the search for changes to report, and the report.
  const { db } = north;
  const query = db.query.bind(db) as typeof db.query;
  let meanwhile = 0;
  db.query = async <Row>(sql: string, ...more: unknown[]) => {
    const rows = await (query as (sql: string, ...more: unknown[]) => Promise<Row[]>)(sql, ...more);
    if (sql.includes('LENGTH(head)') && meanwhile++ === 0) await write();
    return rows;
  };
  await write();
  await waitFor('the report', async () => {
    await followed.follower.follow(never);
    return meanwhile > 0;
  });
  expect(meanwhile).toBe(1);
  expect(await versionHere()).not.toBe(known);
});

async function waitForChange({ follower, told }: Followed, least: number): Promise<void> {
  await waitFor('the change', async () => {
    if (told() < least) await follower.follow(never);
    return told() >= least;
  });
}
