// Commit tokens on a real replicating pair: which writes are replicated, which are not, and which are lost.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Commits, commitMark, commitResolvers } from '../../../platform/database/commits.ts';
import { Database } from '../../../platform/database/database.ts';
import { ServerReads } from '../../../platform/database/server-reads.ts';
import { newUuid } from '../../../platform/values/ids.ts';
import { waitFor } from '../../support/machine/temporary-folder.ts';
import { type ContextOptions, LocalContext } from '../../support/product/test-context.ts';
import { type ReplicatingPair, startReplicatingPair } from '../replicating-pair.ts';

const secret = (fill: number) => Buffer.alloc(32, fill).toString('base64');
const keys = { active: 'k1', keys: { k1: secret(1) } };
const commitsOf = (db: Database, options: ContextOptions = {}) => new LocalContext(db, { keys, ...options }).commits;

let pair: ReplicatingPair;
let primary: Database;
let standby: Database;
let commits: Commits;

beforeAll(async () => {
  pair = await startReplicatingPair();
  primary = new Database({ connection: pair.primary.application, connectionLimit: 3 });
  standby = new Database({ connection: pair.standby.application, connectionLimit: 3 });
  commits = commitsOf(primary, { standby });
});

afterAll(async () => {
  await primary.close();
  await standby.close();
  await pair.stop();
});

async function write(): Promise<string> {
  return commits.token(await primary.transaction((tx) => commits.record(tx)));
}

const mark = (id: string) => commitMark({ id, epoch: 1 });

function clients(): Promise<string> {
  return primary
    .query<{ Value: string }>("SHOW GLOBAL STATUS LIKE 'Rpl_semi_sync_master_clients'")
    .then(([row]) => row?.Value ?? '');
}

test('CONFIRMED once the standby has the row', async () => {
  await waitFor('the standby', async () => (await clients()) === '1');
  expect(await commits.replication(await write(), 5_000)).toEqual({
    ...{ state: 'CONFIRMED', reason: null, copies: 2 },
    members: [{ name: 'standby', state: 'CONFIRMED' }],
  });
  const { replication } = commitResolvers(commits);
  expect(await replication({ token: await write() }, { waitMs: 5_000 })).toMatchObject({ state: 'CONFIRMED' });
});

test('PENDING while the standby has received the row but not applied it, and the wait ends when it has', async () => {
  await pair.onStandby('STOP SLAVE SQL_THREAD');
  const token = await write();
  expect(await commits.replication(token, 0)).toEqual({
    ...{ state: 'PENDING', reason: 'the standby has not applied the write yet', copies: 1 },
    members: [{ name: 'standby', state: 'PENDING' }],
  });
  const waiting = commits.replication(token, 10_000);
  await pair.onStandby('START SLAVE SQL_THREAD');
  expect(await waiting).toMatchObject({ state: 'CONFIRMED' });
});

test('PENDING, with the reason, while the standby is detached, and CONFIRMED after it has caught up', async () => {
  await pair.onStandby('STOP SLAVE');
  await waitFor('the primary to notice', async () => (await clients()) === '0');
  const token = await write();
  expect(await commits.replication(token, 50)).toMatchObject({
    ...{ state: 'PENDING', reason: 'the standby is detached, so there is only one copy', copies: 1 },
  });
  await pair.onStandby('START SLAVE');
  expect(await commits.replication(token, 10_000)).toMatchObject({ state: 'CONFIRMED' });
});

test('a drain ends the wait for the standby', async () => {
  await pair.onStandby('STOP SLAVE SQL_THREAD');
  const token = await write();
  const drained = commitsOf(primary, { standby });
  const answers = [commits, drained].map((each) => each.replication(token, 10_000).then(() => each));
  drained.drain();
  expect(await Promise.race(answers)).toBe(drained);
  await pair.onStandby('START SLAVE SQL_THREAD');
  await Promise.all(answers);
});

test("PENDING when the standby can't be reached, or is the primary itself", async () => {
  const token = await write();
  const nobody = { socketPath: '/nonexistent/mariadb.sock', user: 'u', password: 'p', database: 'd' };
  const unreachable = new Database({ connection: nobody, acquireTimeoutMs: 100 });
  const unreached = commitsOf(primary, { standby: unreachable });
  expect(await unreached.replication(token, 0)).toMatchObject({
    state: 'PENDING',
    reason: expect.stringMatching(/can't be reached/),
  });
  await unreachable.close();
  const toItself = commitsOf(primary, { standby: primary });
  expect(await toItself.replication(token, 0)).toMatchObject({
    state: 'PENDING',
    reason: expect.stringMatching(/the primary itself/),
  });
});

test('each server of a list is asked, and the primary is recognised', async () => {
  const nobody = { socketPath: '/nonexistent/mariadb.sock', user: 'u', password: 'p', database: 'd' };
  const unreachable = new ServerReads(nobody);
  const [a, b, c] = [primary, standby, unreachable].map((sql, index) => ({ name: 'abc'[index] ?? '', sql }));
  if (a === undefined || b === undefined || c === undefined) throw new Error('three servers');
  const token = await write();
  expect(await commitsOf(primary, { members: [a, b, c] }).replication(token, 5_000)).toEqual({
    ...{ state: 'CONFIRMED', reason: null, copies: 2 },
    members: [
      { name: 'a', state: 'PRIMARY' },
      { name: 'b', state: 'CONFIRMED' },
      { name: 'c', state: 'UNREACHABLE' },
    ],
  });
  expect(await commitsOf(primary, { members: [a, c] }).replication(token, 0)).toMatchObject({
    ...{ state: 'PENDING', reason: expect.stringMatching(/can't be reached/), copies: 1 },
  });
  await unreachable.close();
});

test('NOT_REPLICATED without a standby', async () => {
  const alone = commitsOf(primary);
  expect(await alone.replication(await write(), 0)).toMatchObject({ state: 'NOT_REPLICATED' });
});

test('UNKNOWN for a changed token, another key, an old token, and a row missing on its own timeline', async () => {
  const token = await write();
  const [body = '', mac = ''] = token.split('.');
  const foreign = commitsOf(primary, { keys: { active: 'k1', keys: { k1: secret(2) } } });
  const forged = Buffer.from(Buffer.from(body, 'base64url').toString().replace('.1.', '.9.')).toString('base64url');
  for (const bad of ['', '.', body, `${forged}.${mac}`, `${token}A`, 'x'.repeat(600), foreign.token(mark(newUuid()))])
    expect([bad, await commits.replication(bad, 0)]).toEqual([
      bad,
      { state: 'UNKNOWN', reason: 'the token is not valid here', copies: null, members: [] },
    ]);
  expect(await commits.replication(commits.token(mark(newUuid(Date.now() - 30 * 86_400_000))), 0)).toMatchObject({
    state: 'UNKNOWN',
    reason: expect.stringMatching(/older than the records/),
  });
  expect(await commits.replication(commits.token(mark(newUuid())), 0)).toMatchObject({
    state: 'UNKNOWN',
    reason: expect.stringMatching(/missing on its own timeline/),
  });
});

test('many concurrent mutations record their commits on all connections of the pool', async () => {
  const few = new Database({ connection: pair.primary.application, connectionLimit: 2, acquireTimeoutMs: 1_000 });
  try {
    // Nothing is cached, so each call reads the timeline while it holds a connection.
    const fresh = commitsOf(few);
    const ids = await Promise.all([1, 2, 3, 4].map(() => few.transaction((tx) => fresh.record(tx))));
    expect(new Set(ids).size).toBe(4);
  } finally {
    await few.close();
  }
});

test('a token outlives a key rotation', async () => {
  const token = await write();
  const rotated = { active: 'k2', keys: { k1: secret(1), k2: secret(3) } };
  expect(await commitsOf(primary, { standby, keys: rotated }).replication(token, 5_000)).toMatchObject({
    state: 'CONFIRMED',
  });
});

test('after a promotion with a loss: LOST for the lost writes, and the old primary confirms nothing', async () => {
  const safe = await write();
  expect(await commits.replication(safe, 5_000)).toMatchObject({ state: 'CONFIRMED' });
  await pair.onStandby('STOP SLAVE');
  await waitFor('the primary to notice', async () => (await clients()) === '0');
  const lost = await write();
  await pair.onStandby('RESET SLAVE ALL', 'SET GLOBAL read_only = OFF');
  await standby.execute('INSERT INTO db_timeline (epoch, lossy) VALUES (2, 1)');

  const promoted = commitsOf(standby, { standby: primary });
  expect(await promoted.replication(lost, 0)).toMatchObject({
    ...{ state: 'LOST', copies: 0, members: [] },
    reason: 'the write was on timeline 1 and did not survive the failover to timeline 2',
  });
  // A process that still uses the old primary reports nothing about copies.
  expect(await commits.replication(lost, 0)).toEqual({
    ...{ state: 'UNKNOWN', copies: null, members: [] },
    reason: 'the database changes its primary: ask again',
  });
  // The loss was at timeline 2, whatever followed.
  await standby.execute('INSERT INTO db_timeline (epoch, lossy) VALUES (3, 0)');
  expect(await promoted.replication(lost, 0)).toMatchObject({
    ...{ state: 'LOST', reason: expect.stringMatching(/failover to timeline 2$/) },
  });
  // The old primary has this row too, but is on the old timeline.
  expect(await promoted.replication(safe, 0)).toMatchObject({
    ...{ state: 'PENDING', members: [{ name: 'standby', state: 'OTHER_TIMELINE' }] },
  });
  const alone = commitsOf(standby);
  expect(await alone.replication(safe, 0)).toMatchObject({ state: 'NOT_REPLICATED' });
  expect(await alone.replication(lost, 0)).toMatchObject({ state: 'LOST' });
});
