// The history of the database. A loss begins a new history, and a failover without a loss does not.
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { pino } from 'pino';
import { Database } from '../../../platform/database/database.ts';
import { noticeSetBack, readHistory } from '../../../platform/events/database-history.ts';
import { type TestDatabase, testDatabase } from '../../support/stores/database.ts';

const log = pino({ level: 'silent' });
const uuid = /^[0-9a-f-]{36}$/;
let place: TestDatabase;
let db: Database;

beforeEach(async () => {
  place = await testDatabase();
  db = new Database({ connection: place.connection, connectionLimit: 4 });
});

afterEach(async () => {
  await db.close();
  await place.drop();
});

const begin = (lossy: boolean) =>
  db.execute('INSERT INTO db_timeline (epoch, lossy) SELECT MAX(epoch) + 1, ? FROM db_timeline', [lossy]);

test('a failover without a loss keeps the history, and each loss begins another', async () => {
  const first = await readHistory(db);
  expect(first).toMatch(uuid);
  await begin(false);
  expect(await readHistory(db)).toBe(first);
  await begin(true);
  const second = await readHistory(db);
  expect(second).toMatch(uuid);
  expect(second).not.toBe(first);
  await begin(false);
  expect(await readHistory(db)).toBe(second);
  await begin(true);
  expect([first, second]).not.toContain(await readHistory(db));
});

test('if many processes find the same proof, one of them begins a history', async () => {
  const history = await readHistory(db);
  const notice = () =>
    noticeSetBack(db, log, { history, reason: 'test', aboveEpoch: 7, isStillTrue: async () => true });
  const begun = await Promise.all([notice(), notice(), notice(), notice()]);
  expect(begun.filter(Boolean)).toHaveLength(1);
  expect(await readHistory(db)).not.toBe(history);
  expect(await db.query('SELECT epoch, lossy FROM db_timeline ORDER BY epoch')).toEqual([
    { epoch: 1, lossy: 0 },
    { epoch: 8, lossy: 1 },
  ]);
});

test('a proof that no longer holds, or belongs to an earlier history, begins none', async () => {
  const history = await readHistory(db);
  expect(await noticeSetBack(db, log, { history, reason: 'test', isStillTrue: async () => false })).toBe(false);
  expect(await readHistory(db)).toBe(history);
  await begin(true);
  const now = await readHistory(db);
  expect(await noticeSetBack(db, log, { history, reason: 'test', isStillTrue: async () => true })).toBe(false);
  expect(await readHistory(db)).toBe(now);
});
