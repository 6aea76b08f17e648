// A MariaDB whose clock jumps while calls with unknown outcomes may still act. A quiet time ends once it has passed on
// a monotonic clock, whatever the database's clock shows, and it does end.
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { platformMigrations } from '../../../../../compose/places.ts';
import { Database } from '../../../../../platform/database/database.ts';
import { migrate } from '../../../../../platform/database/migrate.ts';
import { newUuid } from '../../../../../platform/values/ids.ts';
import {
  endQuietTime,
  moveOperation,
  quietTime,
  readForLook,
} from '../../../../../subgraphs/relay/control/journal/operation-store.ts';
import { QuietTimes } from '../../../../../subgraphs/relay/control/journal/quiet-times.ts';
import { relayRow } from '../../../../../subgraphs/relay/row.ts';
import { SteppedMariadb } from '../../../../../trials/clock/stepped-mariadb.ts';
import { type TemporaryFolder, temporaryFolder } from '../../../../support/machine/temporary-folder.ts';

const hour = 3_600;
const deadlineMs = 5_000;
const spanMs = 17_000;

let folder: TemporaryFolder;
let mariadb: SteppedMariadb;
let db: Database;
/** The monotonic clock of the counting process. */
let nowMs = 0;
let counting: QuietTimes;

beforeAll(async () => {
  folder = await temporaryFolder();
  mariadb = await SteppedMariadb.start(folder.path);
  await migrate(mariadb.server.application, [platformMigrations, relayRow.migrations]);
  db = new Database({ connection: mariadb.server.application });
});
afterAll(async () => {
  await db.close();
  await mariadb.stop();
  await folder.remove();
});
beforeEach(async () => {
  await db.execute('DELETE FROM operation');
  await mariadb.stepTo(0, db);
  counting = process();
});

const process = () => new QuietTimes({ db, nowMs: () => nowMs });

async function add(state: 'SENT' | 'UNKNOWN' | 'ACCEPTED', quietMs = spanMs): Promise<string> {
  const id = newUuid();
  const quiet = state === 'SENT' ? 'NULL' : `NOW(3) + INTERVAL ${quietMs} * 1000 MICROSECOND`;
  await db.execute(
    `INSERT INTO operation (id, project_id, backend_id, name, effect, state, owner, resource, scope, object_key, object_hash,
      arguments, call_deadline_ms, timeline, requested_by, created_at, sent_at, deadline_at, quiet_until)
    SELECT ?, '', '', 'x', 'NON_IDEMPOTENT', ?, 'owner', '', '', ?, ?, '{}', ?, MAX(epoch), '', NOW(3), NOW(3),
      NOW(3) + INTERVAL ? * 1000 MICROSECOND, ${quiet} FROM db_timeline`,
    [id, state, id, id, deadlineMs, deadlineMs],
  );
  return id;
}

/** Whether each call can't act any more. A verdict and a probe must agree. */
async function over(ids: readonly string[]): Promise<boolean[]> {
  const found: boolean[] = [];
  for (const id of ids) {
    const { isOver } = await quietTime(db, id);
    expect((await readForLook(db, id))?.mayAct).toBe(!isOver);
    found.push(isOver);
  }
  return found;
}

async function pass(ms: number): Promise<void> {
  nowMs += ms;
  await counting.runOnce();
}

test.each([hour, 400 * 24 * hour, -hour, -20 * 24 * hour])(
  'the clock is stepped by %d s: calls from before and after the step keep their whole quiet time',
  async (seconds) => {
    const before = [await add('UNKNOWN'), await add('ACCEPTED')];
    await pass(0);
    await mariadb.stepTo(seconds, db);
    const after = [await add('UNKNOWN'), await add('ACCEPTED')];
    await pass(10);
    expect(await over([...before, ...after])).toEqual([false, false, false, false]);
    await pass(spanMs - 11);
    expect(await over([...before, ...after])).toEqual([false, false, false, false]);
    await pass(1);
    expect(await over([...before, ...after])).toEqual([true, true, false, false]);
    await pass(10);
    expect(await over([...before, ...after])).toEqual([true, true, true, true]);
    // A quiet time that is over stays over on any clock.
    await mariadb.stepTo(0, db);
    expect(await over([...before, ...after])).toEqual([true, true, true, true]);
  },
);

test('when the clock jumps ahead and back between two checks of the process, nothing ends', async () => {
  const ids = [await add('UNKNOWN')];
  await pass(0);
  await mariadb.stepTo(hour, db);
  await mariadb.stepTo(0, db);
  await pass(spanMs - 1);
  expect(await over(ids)).toEqual([false]);
  await pass(1);
  expect(await over(ids)).toEqual([true]);
});

test('a process that takes over or restarts counts from its own first check', async () => {
  const ids = [await add('UNKNOWN')];
  await pass(0);
  await pass(spanMs - 1);
  counting = process();
  await pass(1);
  await mariadb.stepTo(hour, db);
  await pass(spanMs - 1);
  expect(await over(ids)).toEqual([false]);
  counting.forget();
  await pass(spanMs - 1);
  await pass(spanMs - 1);
  expect(await over(ids)).toEqual([false]);
  await pass(1);
  expect(await over(ids)).toEqual([true]);
  // The end is stored in the row, so no process has to count again.
  counting = process();
  await pass(0);
  expect(await over(ids)).toEqual([true]);
});

test('the time in which a call was SENT counts, and recovery after a step gives it its whole time', async () => {
  const id = await add('SENT');
  await pass(0);
  await pass(10 * spanMs);
  expect((await readForLook(db, id))?.row.state).toBe('SENT');
  const other = await add('SENT');
  await pass(0);
  for (const [each, seconds] of [
    [id, hour],
    [other, -hour],
  ] as const) {
    await mariadb.stepTo(seconds, db);
    // As if the clock had been set back.
    await db.execute('UPDATE operation SET deadline_at = LEAST(deadline_at, NOW(3)) WHERE id = ?', [each]);
    const mark = { id: each, state: 'SENT', version: 1 } as const;
    const quietAfterDeadlineMs = spanMs - deadlineMs;
    expect(
      await moveOperation(db, mark, { to: 'UNKNOWN', by: 'recovery', settledBy: 'recovery', quietAfterDeadlineMs }),
    ).toBe(true);
  }
  await pass(spanMs - 1);
  expect(await over([id, other])).toEqual([true, false]);
  await pass(1);
  expect(await over([id, other])).toEqual([true, true]);
});

test("a call that can't act after its answer has no quiet time, and an old quiet time does not end a new one", async () => {
  expect(await over([await add('UNKNOWN', 0)])).toEqual([true]);
  const id = await add('UNKNOWN');
  expect(await endQuietTime(db, id, spanMs - 1)).toBe(false);
  await db.execute('UPDATE operation SET quiet_until = quiet_until + INTERVAL 1 SECOND WHERE id = ?', [id]);
  expect(await endQuietTime(db, id, spanMs)).toBe(false);
  expect(await endQuietTime(db, id, spanMs + 1_000)).toBe(true);
});
