// Reads of one caller leave connections to the others. A flood delays no other caller, a slow statement is ended, and a full queue is BUSY.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { pino } from 'pino';
import { forCaller } from '../../../platform/caller/caller.ts';
import { Database, type DatabaseOptions } from '../../../platform/database/database.ts';
import { toUserErrors } from '../../../platform/edge/mutation.ts';
import { presentError } from '../../../platform/graph/execution.ts';
import { type TestDatabase, testDatabase } from '../../support/stores/database.ts';

const slow = 'SELECT SLEEP(0.05)';
let place: TestDatabase;
const opened: Database[] = [];

function open(options: Partial<DatabaseOptions> = {}): Database {
  const db = new Database({ connection: place.connection, acquireTimeoutMs: 60_000, ...options });
  opened.push(db);
  return db;
}

/** Starts many slow reads of one caller at once. `ended` counts the answers. */
function flood(count: number, read: () => Promise<unknown>) {
  const state = { ended: 0, all: Promise.resolve<unknown>(undefined) };
  state.all = Promise.all(
    Array.from({ length: count }, () =>
      forCaller('flooder', read).then(() => {
        state.ended += 1;
      }),
    ),
  );
  return state;
}

beforeAll(async () => {
  place = await testDatabase();
});

afterAll(async () => {
  await Promise.all(opened.map((db) => db.close()));
  await place.drop();
});

test.each([
  ['SQL', (db: Database) => db.query(slow), (db: Database) => db.query('SELECT 1')],
  ['the model', (db: Database) => db.query(slow), (db: Database) => db.prisma.lease.findMany()],
  [
    'transactions',
    (db: Database) => db.transaction((tx) => tx.query(slow)),
    (db: Database) => db.transaction((tx) => tx.query('SELECT 1')),
  ],
  ['single writes', (db: Database) => db.write(slow), (db: Database) => db.write('SELECT 1')],
])('%s: a caller does not wait for the flood of another caller', async (_, slowly, ask) => {
  const db = open();
  const all = flood(60, () => slowly(db));
  const endedAt: number[] = [];
  for (let asked = 0; asked < 5; asked += 1) {
    const before = all.ended;
    await forCaller('other', () => ask(db));
    endedAt.push(all.ended - before);
  }
  await all.all;
  expect(Math.max(...endedAt)).toBeLessThan(20);
});

test("the process's own reads do not wait for any caller", async () => {
  const db = open({ connectionLimit: 2 });
  const all = flood(40, () => db.query(slow));
  await db.query('SELECT 1');
  expect(all.ended).toBeLessThan(20);
  await all.all;
});

test("a caller's read that takes too long is ended as BUSY, and a read of the process itself continues", async () => {
  const db = open({ readTimeoutMs: 100 });
  const busy = 'SELECT COUNT(*) AS rows_ FROM seq_1_to_1000000 one JOIN seq_1_to_1000 other';
  const error = await forCaller('user', () => db.query(busy)).catch((reason: unknown) => reason);
  expect(toUserErrors(error)).toMatchObject([{ code: 'BUSY', retryAfterMs: 1_000 }]);
  expect(await db.query('SELECT SLEEP(0.3) AS interrupted')).toEqual([{ interrupted: 0 }]);
});

test('a full queue is BUSY with retryAfterMs, and is logged in one line with a count, without stack traces', async () => {
  const lines: string[] = [];
  const log = pino({}, { write: (line) => void lines.push(line) });
  const db = open({ connectionLimit: 2, acquireTimeoutMs: 1_000, log });
  const sleeping = forCaller('flooder', () => db.query('SELECT SLEEP(4)'));
  const errors = await Promise.all(
    Array.from({ length: 100 }, () =>
      forCaller('flooder', () => db.query('SELECT 1')).catch((reason: unknown) => reason),
    ),
  );
  for (const error of errors) {
    expect(presentError(error, 'request', log)).toMatchObject({ extensions: { code: 'BUSY', retryAfterMs: 1_000 } });
    expect(toUserErrors(error)).toMatchObject([{ code: 'BUSY', retry: 'SAME_KEY', retryAfterMs: 1_000 }]);
  }
  await sleeping;
  await db.close();
  expect(lines.length).toBeLessThanOrEqual(2);
  const counts = lines.map((line) => (JSON.parse(line) as { count: number }).count);
  expect(counts.reduce((sum, count) => sum + count, 0)).toBe(100);
  expect(lines.join('')).not.toContain('"stack"');
});
