// The time that deletions by age go by. A wall clock that jumps ahead makes young rows look old, so this time follows the
// database's clock back at once, but ahead no faster than a monotonic clock. It catches up after a day of steady clock, or when an
// administrator accepts the clock; after a start also within minutes, by at most a day for each day that it has run. The table `trusted_clock` shares it between processes and keeps it over restarts.
import { uptime } from 'node:os';
import type { Database, Sql } from '../database/database.ts';
import type { Logger } from '../log/log.ts';
import { Looped } from '../work/loop.ts';

/** SQL of the trusted time: every deletion by age uses it instead of NOW(3). Never later than NOW(3). */
export const trustedNow = '(SELECT LEAST(NOW(3), trusted_at) FROM trusted_clock WHERE id = 1)';

const dayMs = 86_400_000;
const sampleMs = 2_000;
/** How far the stored time may lag before it is written again. */
const writeEveryMs = 8_000;
/** Clocks of different hosts may differ in rate by less than this; NTP slews by 0.05 %. */
const mostFaster = 1.001;
/** A larger difference between the two clocks is a step. */
const stepMs = 5_000;
/** The stored time of another process may lag by this much without being a step back. */
const mergeMs = 10_000;
/** A smaller lag is not reported. */
const reportedMs = 60_000;
/** A sample that took longer is too imprecise. */
const slowMs = 2_000;

const steadyMs = dayMs;
/** Applies after a start that is excused: with the clock ahead of the stored time as after a night without power. */
const steadyAfterStartMs = 600_000;
/** Most that excused starts may add to the trusted time. It is regained as fast as the trusted time passes. */
const mostExcusedMs = dayMs;

interface ClockSample {
  /** The database's clock: Unix milliseconds. */
  readonly nowMs: number;
  /** A monotonic clock that also counts while the machine is suspended. */
  readonly monotonicMs: number;
  /** The state in the table. */
  readonly stored: StoredClock;
}

interface StoredClock {
  readonly trustedMs: number;
  readonly accepted: number;
  /** The trusted time by which all of `mostExcusedMs` is regained; 0: it was never used. */
  readonly excusedUntilMs: number;
}

/** The update to store. Undefined if the table is recent enough. */
interface ClockUpdate {
  readonly trustedMs: number;
  /** The clock was steady for long enough: other processes follow. */
  readonly accepts: boolean;
  /** Set if the clock was accepted because a start was excused. */
  readonly excusedUntilMs?: number;
}

/** The rules, without I/O. */
export class TrustedTime {
  #trustedMs = 0;
  #last: ClockSample | undefined;
  #accepted = 0;
  #steadySinceMs = 0;
  #steadyForMs = steadyMs;
  #excusedMs = 0;

  /** Unix milliseconds at the last sample; 0 before the first: then nothing is old. */
  get trustedMs(): number {
    return this.#trustedMs;
  }

  /** How far the clock is ahead of the trusted time, if that is worth a report. Otherwise 0. */
  get aheadMs(): number {
    const aheadMs = this.#last === undefined ? 0 : this.#last.nowMs - this.#trustedMs;
    return aheadMs - this.#excusedMs > reportedMs ? aheadMs : 0;
  }

  /** After how long the clock is accepted if it stays steady. */
  get waitsMs(): number {
    const sinceMs = (this.#last?.monotonicMs ?? 0) - this.#steadySinceMs;
    return Math.max(0, this.#steadyForMs - sinceMs);
  }

  sample(sample: ClockSample): ClockUpdate | undefined {
    const last = this.#last;
    this.#last = sample;
    const { nowMs, monotonicMs, stored } = sample;
    if (last === undefined) this.#begin(sample);
    else if (stored.accepted !== this.#accepted) this.#follow(sample);
    else {
      const elapsedMs = monotonicMs - last.monotonicMs;
      const isStep = Math.abs(nowMs - last.nowMs - elapsedMs) > stepMs + elapsedMs * (mostFaster - 1);
      if (isStep) this.#steadyAgain(monotonicMs, steadyMs);
      const byMonotonic = this.#trustedMs + elapsedMs * mostFaster;
      this.#trustedMs = Math.min(nowMs, byMonotonic, stored.trustedMs + elapsedMs + mergeMs);
    }
    return this.#update(sample);
  }

  #begin({ nowMs, monotonicMs, stored }: ClockSample): void {
    this.#trustedMs = Math.min(nowMs, stored.trustedMs);
    this.#accepted = stored.accepted;
    const aheadMs = nowMs - this.#trustedMs;
    const isExcused = this.#usedMs(stored, aheadMs) <= mostExcusedMs;
    this.#steadyAgain(monotonicMs, isExcused ? steadyAfterStartMs : steadyMs);
    this.#excusedMs = isExcused ? aheadMs : 0;
  }

  /** How much would be used of `mostExcusedMs` if the time that the clock is ahead were excused. */
  #usedMs(stored: StoredClock, aheadMs: number): number {
    return Math.max(0, stored.excusedUntilMs - this.#trustedMs) + aheadMs;
  }

  #follow({ nowMs, monotonicMs, stored }: ClockSample): void {
    this.#accepted = stored.accepted;
    this.#trustedMs = Math.min(nowMs, stored.trustedMs);
    this.#steadyAgain(monotonicMs, steadyMs);
  }

  #steadyAgain(monotonicMs: number, forMs: number): void {
    this.#steadySinceMs = monotonicMs;
    this.#steadyForMs = forMs;
    this.#excusedMs = 0;
  }

  #update({ nowMs, monotonicMs, stored }: ClockSample): ClockUpdate | undefined {
    const aheadMs = nowMs - this.#trustedMs;
    if (monotonicMs - this.#steadySinceMs >= this.#steadyForMs) {
      const isExcuse = this.#steadyForMs < steadyMs;
      const usedMs = this.#usedMs(stored, aheadMs);
      this.#steadyAgain(monotonicMs, steadyMs);
      if (!isExcuse || usedMs <= mostExcusedMs) {
        this.#trustedMs = nowMs;
        if (aheadMs > mergeMs) {
          this.#accepted += 1;
          return { trustedMs: nowMs, accepts: true, ...(isExcuse ? { excusedUntilMs: nowMs + usedMs } : {}) };
        }
      }
    }
    const isRecent = stored.trustedMs <= this.#trustedMs && this.#trustedMs - stored.trustedMs < writeEveryMs;
    return isRecent ? undefined : { trustedMs: this.#trustedMs, accepts: false };
  }
}

interface TrustedClockOptions {
  readonly db: Database;
  readonly log: Logger;
  /** Default: the machine's uptime, which counts while it is suspended. */
  readonly monotonicMs?: () => number;
}

/** Keeps the trusted time of a database, in each process that has it. */
export class TrustedClock extends Looped {
  readonly #options: TrustedClockOptions;
  readonly #time = new TrustedTime();
  readonly #monotonicMs: () => number;
  #sampledMs = 0;
  #isHeld = false;

  constructor(options: TrustedClockOptions) {
    super({
      name: 'trusted clock',
      log: options.log,
      pauseMs: () => sampleMs,
      run: async () => {
        await this.sample();
        return false;
      },
    });
    this.#options = options;
    this.#monotonicMs = options.monotonicMs ?? (() => uptime() * 1_000);
  }

  /** Unix milliseconds, for ages that are not compared in SQL; 0 before the first sample. */
  readonly nowMs = (): number => {
    const { trustedMs } = this.#time;
    return trustedMs === 0 ? 0 : Math.round(trustedMs + this.#monotonicMs() - this.#sampledMs);
  };

  /** Throws while deletions wait. */
  check(): void {
    const { aheadMs, waitsMs } = this.#time;
    if (aheadMs > 0)
      throw new Error(
        `the database's clock is ${lasting(aheadMs)} ahead of the trusted time: nothing younger than that is deleted by age for another ${lasting(waitsMs)}; if the clock is right, run "tidegate clock accept"`,
      );
  }

  async sample(): Promise<void> {
    const { db, log } = this.#options;
    const monotonicMs = this.#monotonicMs();
    const read = await readTrustedClock(db);
    if (read === undefined || this.#monotonicMs() - monotonicMs > slowMs) return;
    const { nowMs, ...stored } = read;
    const update = this.#time.sample({ nowMs, monotonicMs, stored });
    this.#sampledMs = monotonicMs;
    const isHeld = this.#time.aheadMs > 0;
    if (isHeld !== this.#isHeld)
      log.warn(
        { aheadMs: this.#time.aheadMs },
        isHeld ? 'the clock jumped ahead: deletions by age wait' : 'the clock is trusted again',
      );
    this.#isHeld = isHeld;
    if (update === undefined) return;
    await db.execute(
      `UPDATE trusted_clock SET trusted_at = LEAST(NOW(3), ${timeOf}), accepted = accepted + ?, excused_until = COALESCE(${timeOf}, excused_until)
        WHERE id = 1 AND accepted = ?`,
      [
        ...[micros(update.trustedMs), update.accepts ? 1 : 0],
        ...[update.excusedUntilMs === undefined ? null : micros(update.excusedUntilMs), stored.accepted],
      ],
    );
  }
}

/** SQL of a time, from microseconds since 1970. */
const timeOf = "'1970-01-01' + INTERVAL ? MICROSECOND";
const micros = (ms: number) => Math.round(ms) * 1_000;
const unixMs = (time: string) => `TIMESTAMPDIFF(MICROSECOND, '1970-01-01', ${time}) DIV 1000`;

/** The database's clock and the state in the table. */
export async function readTrustedClock(sql: Sql): Promise<(StoredClock & { readonly nowMs: number }) | undefined> {
  const [row] = await sql.query<Record<'nowMs' | 'trustedMs' | 'accepted' | 'excusedUntilMs', number | bigint>>(
    `SELECT ${unixMs('NOW(3)')} AS nowMs, ${unixMs('trusted_at')} AS trustedMs, accepted,
      COALESCE(${unixMs('excused_until')}, 0) AS excusedUntilMs FROM trusted_clock WHERE id = 1`,
  );
  if (row === undefined) return undefined;
  return {
    ...{ nowMs: Number(row.nowMs), trustedMs: Number(row.trustedMs) },
    ...{ accepted: Number(row.accepted), excusedUntilMs: Number(row.excusedUntilMs) },
  };
}

/** Called when an administrator confirms that the clock is right. */
export async function acceptClock(sql: Sql): Promise<void> {
  await sql.execute(
    'UPDATE trusted_clock SET trusted_at = NOW(3), accepted = accepted + 1, excused_until = NULL WHERE id = 1',
  );
}

function lasting(ms: number): string {
  const [days, hours, minutes] = [ms / dayMs, ms / 3_600_000, ms / 60_000].map(Math.floor) as [number, number, number];
  if (days > 1) return `${days} days`;
  return hours > 1 ? `${hours} hours` : `${Math.max(1, minutes)} min`;
}
