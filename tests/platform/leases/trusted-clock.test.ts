// The trusted time: pure rules with given clocks, and then deletions by that time in a real database.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Database } from '../../../platform/database/database.ts';
import { acceptClock, readTrustedClock, TrustedClock, TrustedTime } from '../../../platform/leases/trusted-clock.ts';
import { platformRetention } from '../../../platform/owed/retention.ts';
import { deletedRows } from '../../support/product/deleted-rows.ts';
import { testPair } from '../../support/product/signing-keys.ts';
import { TestContext } from '../../support/product/test-context.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;
const startMs = Date.UTC(2026, 10, 30);

/** A wall clock that a test steps, a monotonic clock, and the values in the table. */
class Clocks {
  nowMs = startMs;
  monotonicMs = 5_000;
  stored = { trustedMs: startMs, accepted: 0, excusedUntilMs: 0 };

  /** Lets time pass. Every process samples the clocks every 2 s. */
  pass(ms: number, ...times: readonly TrustedTime[]): void {
    for (let passed = 0; passed < ms; passed += 2_000) {
      this.nowMs += 2_000;
      this.monotonicMs += 2_000;
      this.sample(...times);
    }
  }

  sample(...times: readonly TrustedTime[]): void {
    for (const time of times) {
      const { nowMs, monotonicMs, stored } = this;
      const update = time.sample({ nowMs, monotonicMs, stored });
      if (update === undefined) continue;
      const { trustedMs, accepts, excusedUntilMs = stored.excusedUntilMs } = update;
      const accepted = stored.accepted + (accepts ? 1 : 0);
      this.stored = { trustedMs: Math.min(nowMs, trustedMs), accepted, excusedUntilMs };
    }
  }
}

describe('the rules', () => {
  test('a steady clock is trusted, and the stored time lags by seconds', () => {
    const [clocks, time] = [new Clocks(), new TrustedTime()];
    clocks.sample(time);
    clocks.pass(hourMs, time);
    expect(clocks.nowMs - time.trustedMs).toBe(0);
    expect(clocks.nowMs - clocks.stored.trustedMs).toBeLessThan(8_000);
    expect(time.aheadMs).toBe(0);
  });

  test('nothing is old before the first sample', () => {
    expect(new TrustedTime().trustedMs).toBe(0);
  });

  test('a clock that is 8 days ahead for 12 seconds ages nothing, and is trusted again afterwards', () => {
    const [clocks, time] = [new Clocks(), new TrustedTime()];
    clocks.sample(time);
    clocks.pass(minuteMs, time);
    clocks.nowMs += 8 * dayMs;
    clocks.pass(12_000, time);
    expect(time.trustedMs - startMs).toBeLessThanOrEqual(72_100);
    expect(clocks.stored.trustedMs - startMs).toBeLessThanOrEqual(72_100);
    expect(time.aheadMs).toBeGreaterThan(7 * dayMs);
    clocks.nowMs -= 8 * dayMs;
    clocks.pass(4_000, time);
    expect(time.aheadMs).toBe(0);
    expect(clocks.nowMs - time.trustedMs).toBeLessThan(1_000);
  });

  test('after a step back, the return to the old time ages nothing that was written in between', () => {
    const [clocks, time] = [new Clocks(), new TrustedTime()];
    clocks.sample(time);
    clocks.nowMs -= 9 * dayMs;
    clocks.pass(10_000, time);
    const writtenMs = clocks.nowMs;
    clocks.nowMs += 9 * dayMs;
    clocks.pass(minuteMs, time);
    expect(time.trustedMs - writtenMs).toBeLessThan(2 * minuteMs);
    expect(time.aheadMs).toBeGreaterThan(8 * dayMs);
  });

  test('a permanent step ahead is trusted after a day of steady clock, in every process', () => {
    const [clocks, one, other] = [new Clocks(), new TrustedTime(), new TrustedTime()];
    clocks.sample(one, other);
    clocks.nowMs += 30 * dayMs;
    clocks.pass(dayMs - minuteMs, one, other);
    expect([one.aheadMs > 29 * dayMs, other.aheadMs > 29 * dayMs]).toEqual([true, true]);
    clocks.pass(2 * minuteMs, one, other);
    expect([one.aheadMs, other.aheadMs]).toEqual([0, 0]);
    expect(clocks.nowMs - clocks.stored.trustedMs).toBeLessThan(8_000);
  });

  test('another step restarts the day', () => {
    const [clocks, time] = [new Clocks(), new TrustedTime()];
    clocks.sample(time);
    clocks.nowMs += 30 * dayMs;
    clocks.pass(dayMs - hourMs, time);
    clocks.nowMs += hourMs;
    clocks.pass(2 * hourMs, time);
    expect(time.aheadMs).toBeGreaterThan(29 * dayMs);
  });

  test('a process that starts during the step uses the stored time, and does not trust the clock', () => {
    const [clocks, one] = [new Clocks(), new TrustedTime()];
    clocks.sample(one);
    clocks.nowMs += 400 * dayMs;
    clocks.pass(10_000, one);
    const late = new TrustedTime();
    clocks.monotonicMs = 100;
    clocks.sample(late);
    clocks.pass(hourMs, late);
    expect(late.aheadMs).toBeGreaterThan(399 * dayMs);
  });

  test('a start after a night is not a step: it is not reported, and ten minutes later the clock is fully trusted', () => {
    const [clocks, time] = [new Clocks(), new TrustedTime()];
    clocks.nowMs += 10 * hourMs;
    clocks.sample(time);
    clocks.pass(minuteMs, time);
    expect(time.aheadMs).toBe(0);
    expect(clocks.nowMs - time.trustedMs).toBeGreaterThan(9 * hourMs);
    clocks.pass(10 * minuteMs, time);
    expect(clocks.nowMs - time.trustedMs).toBe(0);
  });

  test.each([1, 6, 12, 23])(
    'starts every 15 minutes, %i hours further ahead each time, age nothing by more than a day',
    (hours) => {
      const clocks = new Clocks();
      for (let starts = 0; starts < 30; starts += 1) {
        const time = new TrustedTime();
        clocks.nowMs += hours * hourMs;
        clocks.sample(time);
        clocks.pass(15 * minuteMs, time);
      }
      const ranMs = clocks.monotonicMs - 5_000;
      expect(clocks.stored.trustedMs - startMs - ranMs).toBeLessThanOrEqual(dayMs + ranMs);
    },
  );

  test('a night without power is accepted every day', () => {
    const clocks = new Clocks();
    for (let days = 0; days < 10; days += 1) {
      const time = new TrustedTime();
      clocks.nowMs += 11 * hourMs;
      clocks.sample(time);
      expect(time.aheadMs).toBe(0);
      clocks.pass(13 * hourMs, time);
      expect(clocks.nowMs - time.trustedMs).toBe(0);
    }
  });

  test('the earliest of several processes counts', () => {
    const [clocks, one, other] = [new Clocks(), new TrustedTime(), new TrustedTime()];
    clocks.sample(one, other);
    clocks.nowMs -= 20 * dayMs;
    clocks.sample(one);
    clocks.nowMs += 20 * dayMs;
    clocks.pass(minuteMs, one, other);
    expect(clocks.nowMs - clocks.stored.trustedMs).toBeGreaterThan(19 * dayMs);
    expect(other.aheadMs).toBeGreaterThan(19 * dayMs);
  });
});

describe('in a database', () => {
  let ground: TestContext;
  let db: Database;

  beforeAll(async () => {
    ground = await TestContext.open();
    ({ db } = ground);
  });

  afterAll(() => ground.stop());

  beforeEach(() => db.execute('UPDATE trusted_clock SET trusted_at = NOW(3), accepted = 0, excused_until = NULL'));

  /** The state after a step ahead: the trusted time stays behind the database's clock. */
  const jumpAhead = (days: number) =>
    db.execute('UPDATE trusted_clock SET trusted_at = NOW(3) - INTERVAL ? DAY', [days]);
  const count = async (table: string) =>
    Number((await db.query<{ n: number }>(`SELECT COUNT(*) AS n FROM ${table}`))[0]?.n);
  const retention = () =>
    platformRetention({ ...ground, eventMs: 30 * dayMs, auditMs: 30 * dayMs, auditKeys: testPair('audit') });

  test('retention does not delete rows that only a step ahead made old: keys, commit records, leases, events', async () => {
    // 400 days by the clock that jumped, but seconds by the trusted clock.
    await db.execute(
      "INSERT INTO idempotency_key (scope, operation, key_hash, request_hash, expires_at) VALUES ('p', 'o', 'k', 'h', NOW(3) - INTERVAL 393 DAY)",
    );
    await db.execute('INSERT INTO commit_record (id, timeline, at) VALUES (UUID(), 1, NOW(3) - INTERVAL 400 DAY)');
    await db.execute(
      "INSERT INTO lease (name, token, owner, expires_at) VALUES ('l', 't', 'o', NOW(3) - INTERVAL 400 DAY)",
    );
    await ground.append({}, {}, {});
    await ground.sequence();
    await db.execute('UPDATE status_change SET at = NOW(3) - INTERVAL 400 DAY');
    await jumpAhead(400);
    const first = await deletedRows(retention());
    expect(Object.values(first)).toEqual(retention().map(() => 0));
    expect(await count('status_change')).toBe(3);
    await acceptClock(db);
    expect(await deletedRows(retention())).toMatchObject({
      ...{ events: 2, leases: 1 },
      ...{ 'idempotency keys': 1, 'commit records': 1 },
    });
  });

  test('a process reports that deletions wait, and follows the decision of an administrator', async () => {
    let monotonicMs = 1_000;
    const clock = new TrustedClock({ ...ground, monotonicMs: () => monotonicMs });
    await jumpAhead(8);
    await clock.sample();
    expect(() => clock.check()).toThrow(/the database's clock is 8 days ahead .* "tidegate clock accept"/);
    monotonicMs += 2_000;
    await acceptClock(db);
    await clock.sample();
    expect(() => clock.check()).not.toThrow();
    expect(Math.abs(clock.nowMs() - Date.now())).toBeLessThan(10_000);
  });

  test('an accepted start is stored, and the next one waits for a day', async () => {
    const startAhead = async () => {
      let passedMs = 0;
      // The database's clock advances with the monotonic clock.
      const passing = {
        query: async (sql: string) =>
          (await db.query<Record<string, number>>(sql)).map((row) => ({ ...row, nowMs: Number(row.nowMs) + passedMs })),
        execute: db.execute.bind(db),
      } as unknown as Database;
      const clock = new TrustedClock({ ...ground, db: passing, monotonicMs: () => 1_000 + passedMs });
      await db.execute(
        'UPDATE trusted_clock SET trusted_at = NOW(3) - INTERVAL 23 HOUR, excused_until = excused_until - INTERVAL 23 HOUR',
      );
      await clock.sample();
      passedMs += 11 * minuteMs;
      await clock.sample();
      return clock;
    };
    const first = await startAhead();
    expect(() => first.check()).not.toThrow();
    const second = await startAhead();
    expect(() => second.check()).toThrow(/22 hours ahead|23 hours ahead/);
    await acceptClock(db);
    const third = await startAhead();
    expect(() => third.check()).not.toThrow();
  });

  test('the stored time is never later than the clock', async () => {
    await db.execute('UPDATE trusted_clock SET trusted_at = NOW(3) + INTERVAL 9 DAY');
    await new TrustedClock({ ...ground, monotonicMs: () => 1_000 }).sample();
    const { nowMs = 0, trustedMs = 0 } = (await readTrustedClock(db)) ?? {};
    expect(trustedMs).toBeLessThanOrEqual(nowMs);
    expect(nowMs - trustedMs).toBeLessThan(60_000);
  });
});
