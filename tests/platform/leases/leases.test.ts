// Leases and their fence on a real MariaDB.
import { stat } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { createConnection } from 'mariadb';
import { type Logger, pino } from 'pino';
import { Database, type SqlValue, type WriteResult } from '../../../platform/database/database.ts';
import { isConnectionLost } from '../../../platform/errors/database-errors.ts';
import {
  checkLease,
  type HeldLease,
  LeaseLostError,
  Leases,
  type LeasesOptions,
} from '../../../platform/leases/leases.ts';
import { newUuid } from '../../../platform/values/ids.ts';
import { waitFor } from '../../support/machine/temporary-folder.ts';
import { type TestDatabase, testDatabase } from '../../support/stores/database.ts';

const log = pino({ level: 'silent' });
let place: TestDatabase;
let db: Database;
const made: Leases[] = [];

beforeAll(async () => {
  place = await testDatabase();
  db = new Database({ connection: place.connection });
});

afterEach(async () => {
  await Promise.all(made.splice(0).map((leases) => leases.stop()));
});

afterAll(async () => {
  await db.close();
  await place.drop();
});

function holder(options: Partial<LeasesOptions> = {}): Leases {
  const leases = new Leases({ db, owner: newUuid(), log, ...options });
  made.push(leases);
  return leases;
}

async function take(leases: Leases, name: string): Promise<HeldLease> {
  const lease = await leases.acquire(name);
  if (lease === undefined) throw new Error(`the lease ${name} was not free`);
  return lease;
}

function check(lease: { name: string; token: string }): Promise<void> {
  return db.transaction((tx) => checkLease(tx, lease));
}

const isRenewal = (sql: string): boolean => sql.includes('beat = beat + 1');

/** The whole process stands still. */
function standStill(ms: number): void {
  const untilMs = performance.now() + ms;
  while (performance.now() < untilMs);
}

/** The lines of a log: level, message, and leases. */
function listening(): { readonly lines: unknown[]; readonly log: Logger } {
  const lines: unknown[] = [];
  const write = (line: string) => {
    const { level, msg, leases } = JSON.parse(line) as Record<string, unknown>;
    lines.push([level === 40 ? 'warn' : 'info', msg, leases]);
  };
  return { lines, log: pino({ level: 'info' }, { write }) };
}

/** Simulates that the lease's time has passed on the database's clock. */
async function expire(name: string): Promise<void> {
  await db.execute('UPDATE lease SET expires_at = NOW(3) - INTERVAL 1 SECOND WHERE name = ?', [name]);
}

describe('acquire', () => {
  test('one of many processes gets the lease', async () => {
    const all = Array.from({ length: 8 }, () => holder());
    const got = await Promise.all(all.map((leases) => leases.acquire('one')));
    expect(got.filter((lease) => lease !== undefined)).toHaveLength(1);
    const winner = all[got.findIndex((lease) => lease !== undefined)];
    expect(await winner?.holder('one')).toMatchObject({ owner: winner?.owner, live: true });
  });

  test('a process cannot get the lease twice', async () => {
    const leases = holder();
    expect(await leases.acquire('twice')).toBeDefined();
    expect(await leases.acquire('twice')).toBeUndefined();
  });

  test('an expired lease goes to another owner with a new token and epoch, and the old token is fenced off', async () => {
    const first = await take(holder({ renewMs: 60_000 }), 'passed');
    expect(await holder().acquire('passed')).toBeUndefined();
    await expire('passed');
    const second = await take(holder(), 'passed');
    expect(second.token).not.toBe(first.token);
    await expect(check(first)).rejects.toThrow(LeaseLostError);
    await check(second);
    expect(await db.query('SELECT epoch FROM lease WHERE name = ?', ['passed'])).toEqual([{ epoch: 2 }]);
  });

  test('a lease names the data host of its process, or none', async () => {
    const hostOf = async () =>
      (await db.query<{ host: string | null }>("SELECT host FROM lease WHERE name = 'hosted'"))[0]?.host;
    const first = await take(holder({ host: 'a' }), 'hosted');
    expect(await hostOf()).toBe('a');
    await first.release();
    await take(holder(), 'hosted');
    expect(await hostOf()).toBeNull();
  });

  test('a released lease is free at once, and its token is fenced off even before another process takes it', async () => {
    const lease = await take(holder(), 'released');
    await lease.release();
    expect(lease.signal.aborted).toBe(true);
    await expect(check(lease)).rejects.toThrow(LeaseLostError);
    expect(await holder().acquire('released')).toBeDefined();
  });

  test('live lists by prefix, without expired leases, and takes % and _ literally', async () => {
    const leases = holder({ renewMs: 60_000 });
    for (const name of ['l%/a', 'l%/b', 'lx/c', 'l%/gone']) await leases.acquire(name);
    await expire('l%/gone');
    const live = await leases.live('l%/');
    expect(live.map(({ leftMs: _, ...rest }) => rest)).toEqual(
      ['l%/a', 'l%/b'].map((name) => ({ name, owner: leases.owner })),
    );
    for (const { leftMs } of live) expect(leftMs).toBeGreaterThan(0);
  });
});

describe('renewal', () => {
  test('keeps all leases of a process alive beyond their time', async () => {
    const leases = holder({ ttlMs: 4_000, renewMs: 50 });
    const held = await Promise.all(['r1', 'r2', 'r3'].map((name) => take(leases, name)));
    const beats = async () =>
      (await db.query<{ beat: number }>("SELECT beat FROM lease WHERE name IN ('r1', 'r2', 'r3')")).map(
        (row) => row.beat,
      );
    await waitFor('renewals past its time', async () => (await beats()).every((beat) => beat >= 90));
    for (const lease of held) await check(lease);
    expect(held.every((lease) => lease.signal.aborted === false)).toBe(true);
    expect(leases.renewals.failed).toBe(0);
    expect(leases.renewals.written).toBeGreaterThanOrEqual(90);
  });

  test('a lease that another process takes is lost: its signal aborts, and other leases stay', async () => {
    const leases = holder({ ttlMs: 5_000, renewMs: 30 });
    const lost = await take(leases, 'taken');
    const kept = await take(leases, 'kept');
    await db.execute("UPDATE lease SET token = ?, owner = 'x' WHERE name = 'taken'", [newUuid()]);
    await waitFor('the loss', () => lost.signal.aborted);
    expect(kept.signal.aborted).toBe(false);
    expect(leases.figures()).toEqual({ held: 1, lost: 1 });
  });

  test('writing a result under one lease does not block the renewal of others', async () => {
    const leases = holder({ ttlMs: 5_000, renewMs: 30 });
    const busy = await take(leases, 'busy');
    await leases.acquire('idle');
    const beat = async (name: string) =>
      (await db.query<{ beat: number }>('SELECT beat FROM lease WHERE name = ?', [name]))[0]?.beat ?? 0;
    await db.transaction(async (tx) => {
      await checkLease(tx, busy);
      const before = await beat('idle');
      await waitFor('renewals of the other', async () => (await beat('idle')) > before + 3);
    });
    expect(busy.signal.aborted).toBe(false);
  });

  test('a lease under which results are constantly written is still renewed', async () => {
    const leases = holder({ ttlMs: 5_000, renewMs: 100 });
    const lease = await take(leases, 'always busy');
    let done = false;
    const write = async () => {
      while (!done) await db.transaction((tx) => checkLease(tx, lease).then(() => sleep(5)));
    };
    const writers = Promise.all([write(), write(), write(), write()]);
    const beat = async () =>
      (await db.query<{ beat: number }>("SELECT beat FROM lease WHERE name = 'always busy'"))[0]?.beat ?? 0;
    try {
      await waitFor('twelve renewals, or the loss', async () => lease.signal.aborted || (await beat()) >= 12);
      expect(lease.signal.aborted).toBe(false);
    } finally {
      done = true;
      await writers.catch(() => undefined);
    }
  });

  test('a renewal that failed because of the database is retried before the lease expires', async () => {
    class GoesAwayOnce extends Database {
      failures = 0;
      override execute(sql: string, values?: readonly SqlValue[]): Promise<WriteResult> {
        if (this.failures > 0 || !isRenewal(sql)) return super.execute(sql, values);
        this.failures += 1;
        return Promise.reject(Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }));
      }
    }
    const away = new GoesAwayOnce({ connection: place.connection, connectionLimit: 2 });
    // The second renewal would be too late, because the lease is dropped after 4500 ms.
    const leases = new Leases({ db: away, owner: newUuid(), log, ttlMs: 5_000, renewMs: 2_500 });
    try {
      const lease = await take(leases, 'goes away');
      const beat = async () =>
        (await db.query<{ beat: number }>("SELECT beat FROM lease WHERE name = 'goes away'"))[0]?.beat ?? 0;
      await waitFor('a renewal, or the loss', async () => lease.signal.aborted || (await beat()) > 0);
      expect({ lost: lease.signal.aborted, failures: away.failures }).toEqual({ lost: false, failures: 1 });
      expect(leases.renewals.failed).toBe(1);
    } finally {
      await leases.stop();
      await away.close();
    }
  });

  test('a process that stood still ends its leases without a warning, unless another process has taken them', async () => {
    const ended = 'leases ended without a renewal, and no other process took them';
    const { lines, log } = listening();
    const leases = holder({ ttlMs: 1_000, renewMs: 60_000, log });
    const still = await take(leases, 'stood still');
    standStill(1_100);
    await waitFor('the end', () => still.signal.aborted && lines.length > 0);
    expect({ lines, ...leases.figures() }).toEqual({ lines: [['info', ended, ['stood still']]], held: 0, lost: 0 });
    const lost = await take(leases, 'stood still');
    await db.execute("UPDATE lease SET token = ?, owner = 'x' WHERE name = 'stood still'", [newUuid()]);
    await waitFor('the loss', () => lost.signal.aborted && lines.length > 1);
    expect({ line: lines[1], ...leases.figures() }).toEqual({
      ...{ line: ['warn', 'leases lost', ['stood still']], held: 0, lost: 1 },
    });
  });

  test('a process that stood still reads the answer to its renewal before it ends a lease', async () => {
    let stood = 0;
    let endsMs = 0;
    class AnswersLate extends Database {
      override async execute(sql: string, values?: readonly SqlValue[]): Promise<WriteResult> {
        const result = await super.execute(sql, values);
        if (!isRenewal(sql) || stood > 0) return result;
        stood += 1;
        // It ends while this process stands still, and is read afterwards, as the answer of a server would be.
        const answer = stat('/');
        standStill(endsMs + 50 - performance.now());
        await answer;
        return result;
      }
    }
    const late = new AnswersLate({ connection: place.connection, connectionLimit: 2 });
    // Without the answer, the lease ends after nine tenths of its time, while the process stands still.
    const leases = new Leases({ db: late, owner: newUuid(), log, ttlMs: 2_000, renewMs: 800 });
    try {
      const lease = await take(leases, 'late answer');
      endsMs = performance.now() + 1_800;
      const beat = async () =>
        (await db.query<{ beat: number }>("SELECT beat FROM lease WHERE name = 'late answer'"))[0]?.beat ?? 0;
      await waitFor('the next renewal, or the loss', async () => lease.signal.aborted || (await beat()) > 1);
      expect({ lost: lease.signal.aborted, stood }).toEqual({ lost: false, stood: 1 });
    } finally {
      await leases.stop();
      await late.close();
    }
  });

  test('while the database hangs, the signal aborts before the lease has expired there', async () => {
    const leases = holder({ ttlMs: 3_000, renewMs: 100 });
    const lease = await take(leases, 'hang');
    // A lock on the table blocks every renewal, as a frozen disk would.
    const blocker = await createConnection({ ...place.rootConnection });
    try {
      await blocker.query('LOCK TABLES lease WRITE');
      await waitFor('the abort', () => lease.signal.aborted);
      const [row] = await blocker.query<{ live: bigint }[]>(
        "SELECT expires_at > NOW(3) AS live FROM lease WHERE name = 'hang'",
      );
      expect(Number(row?.live)).toBe(1);
    } finally {
      await blocker.end();
    }
  });
});

test('checkLease makes the next owner wait until the result is written', async () => {
  const lease = await take(holder({ renewMs: 60_000 }), 'fence');
  await expire('fence');
  const other = holder();
  const order: string[] = [];
  let taking: Promise<unknown> | undefined;
  await db.transaction(async (tx) => {
    await checkLease(tx, lease);
    taking = other.acquire('fence').then((taken) => order.push(taken === undefined ? 'refused' : 'taken'));
    const waiting =
      'SELECT 1 FROM information_schema.processlist WHERE db = ? AND info LIKE ? AND id <> CONNECTION_ID()';
    await waitFor(
      'the taker to wait',
      async () => (await db.query(waiting, [place.name, '%UPDATE lease SET token%'])).length > 0,
    );
    order.push('written');
  });
  await taking;
  expect(order).toEqual(['written', 'taken']);
});

test('a process that pauses under the fence is cut off by the server, and the lease moves on', async () => {
  const lease = await take(holder({ renewMs: 60_000 }), 'paused');
  await expire('paused');
  const other = holder();
  const entered = Promise.withResolvers<void>();
  const resumed = Promise.withResolvers<void>();
  const paused = db.transaction(async (tx) => {
    const [limit] = await tx.query('SELECT @@idle_transaction_timeout AS seconds');
    expect(limit).toEqual({ seconds: 8 });
    await tx.execute('SET SESSION idle_transaction_timeout = 1');
    await checkLease(tx, lease);
    entered.resolve();
    await resumed.promise;
    await tx.execute("UPDATE lease SET owner = 'late' WHERE name = 'paused'");
  });
  const failure = paused.catch((error: unknown) => error);
  await entered.promise;
  const taken = await waitFor('the lease', () => other.acquire('paused'));
  resumed.resolve();
  expect(isConnectionLost(await failure)).toBe(true);
  await check(taken);
  expect(await other.holder('paused')).toMatchObject({ owner: other.owner });
});
