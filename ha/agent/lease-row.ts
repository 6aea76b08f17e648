// The end of a primary's lease, in its own row of `db_lease`. Processes on any host that read from this server reject answers from after
// that time (platform/database/primary-finder.ts). The row is not in the binary log.

import type { SetupLog } from '../../embedded/setup-log.ts';
import { databaseErrorNumber } from '../../platform/errors/database-errors.ts';
import { monotonicMs } from './clock.ts';
import { applicationDatabase } from './server-program.ts';
import type { Session } from './session.ts';

/** Readers take a later end for one that was written before the clock was put back (platform/database/primary-finder.ts). */
const mostLeftMs = 5_000;
/** ER_NO_SUCH_TABLE: the database is new, or older than the row. */
const noSuchTable = 1146;
/** A lease of three seconds is renewed before anything has to be written again. */
const refreshedWithMs = 3_000;
const refreshEveryMs = 1_000;
const nowSql = 'SELECT CAST(UTC_TIMESTAMP(6) AS CHAR) AS now';
const writeSql = `INSERT INTO ${applicationDatabase}.db_lease (id, ends_at) VALUES (1, CAST(? AS DATETIME(6)) + INTERVAL ? MICROSECOND)
  ON DUPLICATE KEY UPDATE ends_at = VALUES(ends_at)`;

export class LeaseRow {
  /** A session without a binary log. */
  readonly #session: Session;
  readonly #timeoutMs: number;
  readonly #log: SetupLog;
  #writing: Promise<void> = Promise.resolve();
  #toldAtMs = Number.NEGATIVE_INFINITY;

  constructor(session: Session, timeoutMs: number, log: SetupLog) {
    this.#session = session;
    this.#timeoutMs = timeoutMs;
    this.#log = log;
  }

  /** Call it often: the end of a lease that is longer than readers believe is written again and again. */
  refresh(endsAtMs: number): void {
    const nowMs = monotonicMs();
    if (endsAtMs - nowMs > refreshedWithMs && nowMs - this.#toldAtMs >= refreshEveryMs) this.tell(endsAtMs);
  }

  /** This is not awaited: if the row is not renewed, it only expires earlier. */
  tell(endsAtMs: number): void {
    this.#toldAtMs = monotonicMs();
    this.write(endsAtMs).catch((error: unknown) =>
      this.#log.debug(`ha: the end of the lease could not be stored: ${String(error)}`),
    );
  }

  /** `endsAtMs`: monotonic. Writes are serialised. */
  write(endsAtMs: number): Promise<void> {
    this.#writing = this.#writing.catch(() => undefined).then(() => this.#write(endsAtMs));
    return this.#writing;
  }

  async #write(endsAtMs: number): Promise<void> {
    try {
      const [row] = await this.#session.query<{ now: string }[]>(nowSql, [], this.#timeoutMs);
      // Computed after the answer and stored as a time, not as a remaining duration: however late either statement runs, the
      // stored end is never too late.
      const leftMs = Math.min(endsAtMs - monotonicMs(), mostLeftMs);
      await this.#session.query(writeSql, [row?.now, Math.floor(leftMs * 1_000)], this.#timeoutMs);
    } catch (error) {
      if (databaseErrorNumber(error) !== noSuchTable) throw error;
    }
  }
}
