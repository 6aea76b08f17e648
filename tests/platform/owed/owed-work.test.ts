// Owed work that is claimed twice, finished late, or owed again while under way.
import { beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Database } from '../../../platform/database/database.ts';
import {
  type ClaimedJob,
  deadAfterAttempts,
  dueKeys,
  finishOwed,
  type OwedJob,
  OwedWork,
  OwedWorkLostError,
  owe,
  oweAll,
  reconcilingRetry,
  takeOwed,
  usualRetry,
} from '../../../platform/owed/owed-work.ts';
import { forFile } from '../../support/jest/shared.ts';
import { waitFor } from '../../support/machine/temporary-folder.ts';
import { TestContext } from '../../support/product/test-context.ts';

const ground = forFile(() => TestContext.open());
let db: Database;
let work: OwedWork;

beforeAll(async () => {
  ({ db } = ground);
  work = new OwedWork({ db, retry: { ...usualRetry, firstMs: 20 } });
  await db.execute('CREATE TABLE effect (id INT AUTO_INCREMENT PRIMARY KEY)');
});

beforeEach(async () => {
  await db.execute('DELETE FROM owed_work');
  await db.execute('DELETE FROM effect');
});

function oweIt(key: string, dueInMs = 0): Promise<void> {
  return db.transaction((tx) => owe(tx, 'k', key, { dueInMs }));
}

test('the waiting time of due work counts work that is due and not claimed', async () => {
  expect(await work.oldestWaitMs(['k'])).toBe(0);
  await oweIt('later', 60_000);
  expect(await work.oldestWaitMs(['k'])).toBe(0);
  await oweIt('due');
  await db.execute("UPDATE owed_work SET due_at = NOW(3) - INTERVAL 90 SECOND WHERE `key` = 'due'");
  expect(await work.oldestWaitMs(['k'])).toBeGreaterThanOrEqual(90_000);
  expect(await work.oldestWaitMs(['other'])).toBe(0);
  await claim('due');
  expect(await work.oldestWaitMs(['k'])).toBe(0);
});

async function claim(key: string): Promise<ClaimedJob> {
  const job = await work.claim('k', key);
  if (job === undefined) throw new Error(`${key} could not be claimed`);
  return job;
}

function finish(job: OwedJob): Promise<void> {
  return db.transaction(async (tx) => {
    await tx.execute('INSERT INTO effect VALUES ()');
    await finishOwed(tx, job);
  });
}

async function effects(): Promise<number> {
  return (await db.query<{ n: number }>('SELECT COUNT(*) AS n FROM effect'))[0]?.n ?? -1;
}

const due = () => work.dueRows({ limit: 10 });

async function inSeconds(key: string): Promise<number> {
  const sql = 'SELECT TIMESTAMPDIFF(SECOND, NOW(3), due_at) AS seconds FROM owed_work WHERE `key` = ?';
  return (await db.query<{ seconds: number | null }>(sql, [key]))[0]?.seconds ?? -1;
}

/** Simulates a claim from long ago. */
async function endClaim(key: string): Promise<void> {
  await db.execute('UPDATE owed_work SET lease_until = NOW(3) - INTERVAL 1 SECOND WHERE `key` = ?', [key]);
}

test('work is due once owed, has one claim, and is completed with its effect', async () => {
  await oweIt('a');
  expect(await due()).toEqual([{ kind: 'k', key: 'a', wanted: 1, attempts: 0 }]);
  const claims = await Promise.all(Array.from({ length: 8 }, () => work.claim('k', 'a')));
  const [job, ...more] = claims.filter((each) => each !== undefined);
  expect(more).toEqual([]);
  expect(await due()).toEqual([]);
  await finish(job as OwedJob);
  expect(await effects()).toBe(1);
  expect(await work.claim('k', 'a')).toBeUndefined();
  expect(await work.figures()).toEqual({ due: 0, oldestMs: 0, dead: 0 });
});

test('work is not owed if its cause rolls back, and wakes only after the commit', async () => {
  const { wake } = ground;
  let woken = 0;
  wake.on('owed', () => {
    woken += 1;
  });
  const cause = (fails: boolean) =>
    db.transaction(async (tx) => {
      await owe(tx, 'k', 'r', {}, wake);
      if (fails) throw new Error('no');
    });
  await expect(cause(true)).rejects.toThrow('no');
  expect([woken, await due()]).toEqual([0, []]);
  await cause(false);
  expect([woken, (await due()).length]).toEqual([1, 1]);
});

test('many are owed at once as if each was alone, and only due and unclaimed work is taken', async () => {
  const keys = ['c', 'a', 'b', 'd'];
  await db.transaction((tx) => oweAll(tx, 'k', [...keys.map((key) => ({ key })), { key: 'later', dueInMs: 60_000 }]));
  expect((await due()).map(({ key, wanted }) => [key, wanted]).sort()).toEqual(keys.toSorted().map((key) => [key, 1]));
  const job = await claim('a');
  const free = await dueKeys(db, 'k', 10);
  expect(free.toSorted()).toEqual(['b', 'c', 'd']);
  expect((await dueKeys(db, 'k', 2)).length).toBe(2);
  await db.transaction((tx) => takeOwed(tx, 'k', ['a', 'b', 'c', 'later', 'unknown']));
  expect((await due()).map(({ key }) => key)).toEqual(['d']);
  // The claim is unchanged, and work that was owed again is due again.
  await finish(job);
  expect(await inSeconds('later')).toBeGreaterThan(30);
  await oweIt('b');
  expect((await due()).map(({ key, wanted }) => [key, wanted]).sort()).toEqual([
    ['b', 2],
    ['d', 1],
  ]);
  // A transaction that fails has claimed nothing.
  const failing = db.transaction(async (tx) => {
    await takeOwed(tx, 'k', ['b', 'd']);
    throw new Error('its effect failed');
  });
  await expect(failing).rejects.toThrow('its effect failed');
  expect((await due()).length).toBe(2);
});

test('work that is owed again while under way is due again afterwards', async () => {
  await oweIt('b');
  const job = await claim('b');
  await oweIt('b');
  await finish(job);
  expect(await due()).toEqual([{ kind: 'k', key: 'b', wanted: 2, attempts: 0 }]);
  await finish(await claim('b'));
  expect(await due()).toEqual([]);
});

test('a worker that lost its claim has no effect', async () => {
  await oweIt('c');
  const slow = await claim('c');
  await endClaim('c');
  const quick = await claim('c');
  await expect(finish(slow)).rejects.toThrow(OwedWorkLostError);
  expect(await effects()).toBe(0);
  await finish(quick);
  await expect(finish(quick)).rejects.toThrow(OwedWorkLostError);
  expect(await effects()).toBe(1);
});

test('a renewed claim lasts, a lost claim is not renewed, and nothing waits for a locked one', async () => {
  await oweIt('o');
  const short = new OwedWork({ db });
  const job = (await short.claim('k', 'o')) as ClaimedJob;
  expect([job.takeovers, job.isHeld()]).toEqual([0, true]);
  await endClaim('o');
  expect(await short.renew(job)).toBe(true);
  expect(await due()).toEqual([]);
  await db.transaction(async (tx) => {
    await tx.execute("SELECT 1 FROM owed_work WHERE `key` = 'o' FOR UPDATE");
    expect(await short.renew(job)).toBe(true);
  });
  await endClaim('o');
  await finish(await claim('o'));
  expect(await short.renew(job)).toBe(false);
});

test('each takeover is counted until the work is done, and makes the claim longer, up to a limit', async () => {
  await oweIt('p');
  const growing = new OwedWork({ db, claimMs: 100_000, longestClaimMs: 350_000, retry: reconcilingRetry });
  const took: unknown[] = [];
  for (let round = 0; round < 4; round += 1) {
    const { takeovers } = (await growing.claim('k', 'p')) as ClaimedJob;
    const [row] = await db.query<{ s: number }>(
      "SELECT CEIL(TIMESTAMPDIFF(SECOND, NOW(3), lease_until) / 50) * 50 AS s FROM owed_work WHERE `key` = 'p'",
    );
    took.push([takeovers, row?.s]);
    await endClaim('p');
  }
  expect(took).toEqual([
    [0, 100],
    [1, 200],
    [2, 350],
    [3, 350],
  ]);
  // A failed attempt does not count as a takeover.
  const failing = await claim('p');
  await work.fail(failing, 'no');
  await db.execute('UPDATE owed_work SET due_at = NOW(3)');
  const last = await claim('p');
  expect([failing.takeovers, last.takeovers]).toEqual([4, 4]);
  await finish(last);
  await oweIt('p');
  expect((await claim('p')).takeovers).toBe(0);
});

test('by its own clock, a process knows before the database that its claim has ended', async () => {
  await oweIt('q');
  const job = (await new OwedWork({ db, claimMs: 50 }).claim('k', 'q')) as ClaimedJob;
  await waitFor('the end of the claim', async () => (await due()).length === 1);
  expect(job.isHeld()).toBe(false);
});

test('a claim of an ended process from before the clock was set back is free, and any other claim is not', async () => {
  await oweIt('ahead');
  const { leaseToken } = await claim('ahead');
  const until = (interval: string) =>
    db.execute(`UPDATE owed_work SET lease_until = NOW(3) + INTERVAL ${interval} WHERE lease_token = ?`, [leaseToken]);
  await until('31 SECOND');
  expect(await due()).toEqual([]);
  expect(await work.claim('k', 'ahead')).toBeUndefined();
  await until('1 HOUR');
  expect(await due()).toMatchObject([{ key: 'ahead' }]);
  await finish(await claim('ahead'));
});

describe('a failure', () => {
  test('makes the work due again, later each time, with its error; another attempt is another job', async () => {
    await oweIt('d');
    await work.fail(await claim('d'), new Error('device away'));
    expect(await work.claim('k', 'd')).toBeUndefined();
    const again = await waitFor('the next attempt', async () => (await due())[0]);
    expect(again).toMatchObject({ wanted: 1, attempts: 1 });
    const [row] = await db.query<{ last_error: string }>('SELECT last_error FROM owed_work');
    expect(row?.last_error).toBe('device away');
    await finish(await claim('d'));
    expect(await db.query('SELECT last_error, attempts FROM owed_work')).toEqual([{ last_error: null, attempts: 0 }]);
  });

  test('waits at most five minutes', async () => {
    await oweIt('e');
    const job = await claim('e');
    await db.execute('UPDATE owed_work SET attempts = 500');
    await work.fail(job, 'x');
    const [row] = await db.query<{ waitS: number }>(
      'SELECT TIMESTAMPDIFF(SECOND, NOW(3), due_at) AS waitS FROM owed_work',
    );
    expect(row?.waitS).toBeGreaterThan(290);
    expect(row?.waitS).toBeLessThanOrEqual(300);
  });

  test('of reconciling waits at most five seconds', async () => {
    await oweIt('quick');
    const job = await claim('quick');
    await db.execute('UPDATE owed_work SET attempts = 500');
    await new OwedWork({ db, retry: reconcilingRetry }).fail(job, 'x');
    const dueInMs = (await work.awaited('k', 'quick'))?.dueInMs ?? -1;
    expect(dueInMs).toBeGreaterThan(0);
    expect(dueInMs).toBeLessThanOrEqual(5_000);
  });

  test('of a lost claim changes nothing', async () => {
    await oweIt('f');
    const slow = await claim('f');
    await endClaim('f');
    const quick = await claim('f');
    const row = () => db.query("SELECT * FROM owed_work WHERE `key` = 'f'");
    const before = await row();
    await work.fail(slow, new Error('late'));
    expect(await row()).toEqual(before);
    await finish(quick);
    expect(await effects()).toBe(1);
  });
});

test('claimed or finished work is not awaited, and other work is awaited until it is due', async () => {
  expect(await work.awaited('k', 'w')).toBeUndefined();
  await oweIt('w');
  expect(await work.awaited('k', 'w')).toEqual({ kind: 'k', key: 'w', wanted: 1, attempts: 0, dueInMs: 0 });
  expect(await work.nextDueInMs(['k'], 5_000)).toBeUndefined();
  const job = await claim('w');
  await oweIt('w', 4_000);
  expect(await work.awaited('k', 'w')).toBeUndefined();
  expect(await work.nextDueInMs(['k'], 5_000)).toBeUndefined();
  await finish(job);
  for (const dueInMs of [(await work.awaited('k', 'w'))?.dueInMs, await work.nextDueInMs(['k'], 5_000)]) {
    expect(dueInMs).toBeGreaterThan(0);
    expect(dueInMs).toBeLessThanOrEqual(4_000);
  }
  expect(await work.nextDueInMs(['other'], 5_000)).toBeUndefined();
  expect(await work.nextDueInMs(['k'], 1)).toBeUndefined();
});

test('work owed for a later time is not due, and when owed again for now it is', async () => {
  await oweIt('g', 60_000);
  expect(await due()).toEqual([]);
  await oweIt('g');
  expect(await due()).toMatchObject([{ key: 'g', wanted: 2 }]);
  // A later time does not postpone work that is already due.
  await oweIt('g', 60_000);
  expect(await due()).toMatchObject([{ key: 'g', wanted: 3 }]);
});

test('work that is owed for later while it runs is not due earlier', async () => {
  await oweIt('h');
  const job = await claim('h');
  await oweIt('h', 600_000);
  await finish(job);
  expect(await due()).toEqual([]);
  expect(await inSeconds('h')).toBeGreaterThan(500);
  // The earliest of several times counts.
  await oweIt('i');
  const second = await claim('i');
  for (const ms of [600_000, 60_000, 900_000]) await oweIt('i', ms);
  await finish(second);
  expect(await inSeconds('i')).toBeLessThanOrEqual(60);
  expect(await due()).toEqual([]);
});

test('a lost claim makes the work due at once, even if it was owed again for later', async () => {
  await oweIt('n');
  await claim('n');
  await oweIt('n', 600_000);
  await endClaim('n');
  expect(await due()).toMatchObject([{ key: 'n', wanted: 2 }]);
  await finish(await claim('n'));
  expect(await due()).toEqual([]);
  expect(await inSeconds('n')).toBe(-1);
});

describe('a dead letter', () => {
  async function lastAttempt(key: string): Promise<ClaimedJob> {
    await oweIt(key);
    await db.execute('UPDATE owed_work SET attempts = ? WHERE `key` = ?', [deadAfterAttempts - 1, key]);
    return claim(key);
  }
  const deaths = () =>
    db.query<{ subject: string }>("SELECT reason AS subject FROM status_change WHERE kind = 'owedWork.state'");

  test('is due in an hour, and is reported', async () => {
    await work.bury(await lastAttempt('j'), new Error('never works'), ground.wake);
    expect(await inSeconds('j')).toBeGreaterThan(3_500);
    expect(await work.figures()).toMatchObject({ due: 0, dead: 1 });
    expect(await deaths()).toMatchObject([{ subject: 'k j failed 10 times: never works' }]);
  });

  test('does not arise if the work was owed again during its last attempt, because that is new work', async () => {
    await db.execute("DELETE FROM status_change WHERE kind = 'owedWork.state'");
    const job = await lastAttempt('l');
    await oweIt('l');
    await work.bury(job, new Error('never works'), ground.wake);
    expect(await due()).toEqual([{ kind: 'k', key: 'l', wanted: 2, attempts: 0 }]);
    expect([await work.figures(), await deaths()]).toMatchObject([{ dead: 0 }, []]);
  });

  test('the same applies after a failed attempt: work owed for now does not wait', async () => {
    await oweIt('m');
    const job = await claim('m');
    await db.execute('UPDATE owed_work SET attempts = 9');
    await oweIt('m');
    await new OwedWork({ db, retry: { ...usualRetry, firstMs: 300_000 } }).fail(job, new Error('not now'));
    expect(await due()).toMatchObject([{ key: 'm', attempts: 0 }]);
  });
});
test('waiting work that was owed before the clock was set back by less than an hour is started', async () => {
  const setBack = (minutes: number) =>
    db.execute(
      'UPDATE owed_work SET due_at = due_at + INTERVAL ? MINUTE, owed_at = owed_at + INTERVAL ? MINUTE, lease_until = lease_until + INTERVAL ? MINUTE',
      [minutes, minutes, minutes],
    );
  await oweIt('now');
  await oweIt('each minute', 60_000);
  await oweIt('fails');
  await work.fail(await claim('fails'), new Error('device away'));
  await oweIt('under way');
  await oweIt('of an ended process');
  const job = await claim('under way');
  await claim('of an ended process');
  expect(await work.takeUpAfterStepBack()).toBe(0);
  await setBack(30);
  // A process that still runs renews its claim.
  await work.renew(job);
  expect(await due()).toEqual([]);
  expect(await work.takeUpAfterStepBack()).toBe(4);
  expect((await due()).map(({ key }) => key).sort()).toEqual(['each minute', 'fails', 'now', 'of an ended process']);
  expect(await work.takeUpAfterStepBack()).toBe(0);
});

test('work that was owed a moment ago, for later, waits for its time', async () => {
  await oweIt('later', 60_000);
  await oweIt('last', 3_600_000);
  expect(await work.takeUpAfterStepBack()).toBe(0);
  expect(await due()).toEqual([]);
});

test.each([1, 24 * 8])('work that was owed before the clock was set back by %d h is due', async (hours) => {
  await oweIt('later', 1_800_000);
  expect(await due()).toEqual([]);
  await db.execute('UPDATE owed_work SET due_at = due_at + INTERVAL ? HOUR', [hours]);
  expect(await due()).toMatchObject([{ key: 'later' }]);
  await finish(await claim('later'));
  expect(await due()).toEqual([]);
});
