// The times in which processes of each role ran, so that a standstill of the product is not taken for a state of what it judges. All processes
// of a role lengthen one row; a row that nobody lengthened for a while ends, and the next beat begins another. Times are the database's, and
// a step of its clock begins another row too.
import type { Database, Sql } from '../database/database.ts';
import type { Logger } from '../log/log.ts';
import { Loop } from '../work/loop.ts';
import { trustedNow } from './trusted-clock.ts';

const beatMs = 20_000;
/** A longer silence is a standstill. */
const silentSeconds = 90;
/** More than any reader asks for. */
const keptDays = 40;
/** The newest rows that a reader takes. */
const mostSpans = 200;

export interface TimeSpan {
  readonly fromMs: number;
  readonly untilMs: number;
}

interface RunningTimeOptions {
  readonly db: Pick<Database, 'transaction'>;
  readonly log: Logger;
  readonly roles: readonly string[];
  /** Whether it judges now. Default: as long as it runs. */
  readonly isJudging?: () => Promise<boolean>;
}

export class RunningTime {
  readonly #options: RunningTimeOptions;
  readonly #loop: Loop;

  constructor(options: RunningTimeOptions) {
    this.#options = options;
    this.#loop = new Loop({
      name: 'running time',
      log: options.log,
      pauseMs: () => beatMs,
      run: async () => {
        await this.beat();
        return false;
      },
    });
  }

  start(): void {
    this.#loop.start();
  }

  async stop(): Promise<void> {
    await this.#loop.stop();
    // The next start sees the end to the second. Without a database it sees the last beat.
    await this.beat().catch(() => undefined);
  }

  async beat(): Promise<void> {
    const { db, roles, isJudging } = this.#options;
    if (isJudging !== undefined && !(await isJudging())) return;
    // In one commit, and in the same order in each process.
    await db.transaction(async (tx) => {
      for (const role of roles.toSorted()) await this.#lengthen(tx, role);
    });
  }

  async #lengthen(db: Sql, role: string): Promise<void> {
    const near = `BETWEEN NOW(3) - INTERVAL ${silentSeconds} SECOND AND NOW(3) + INTERVAL ${silentSeconds} SECOND`;
    const { affectedRows } = await db.execute(
      `UPDATE running_time SET until_at = GREATEST(until_at, NOW(3)) WHERE role = ? AND until_at ${near} ORDER BY from_at DESC LIMIT 1`,
      [role],
    );
    if (affectedRows > 0) return;
    await db.execute('INSERT IGNORE INTO running_time (role, from_at, until_at) VALUES (?, NOW(3), NOW(3))', [role]);
    await db.execute(
      `DELETE FROM running_time WHERE role = ? AND until_at < ${trustedNow} - INTERVAL ? DAY LIMIT 100`,
      [...[role, keptDays]],
    );
  }
}

/** SQL: when a process of the role first ran, as far as that is recorded. */
export function firstRunSql(role: 'system'): string {
  return `(SELECT MIN(from_at) FROM running_time WHERE role = '${role}')`;
}

export interface JudgedTime {
  readonly nowMs: number;
  /** In order and without overlaps. */
  readonly judgedIn: readonly TimeSpan[];
}

/** Before the first row nobody recorded it, so that time counts as judged. */
export async function readJudgedTime(db: Sql, role: string, sinceMs: number, nowMs: number): Promise<JudgedTime> {
  const rows = await db.query<{ readonly fromAt: Date; readonly untilAt: Date }>(
    `SELECT from_at AS fromAt, until_at AS untilAt FROM running_time WHERE role = ? ORDER BY from_at DESC LIMIT ${mostSpans}`,
    [role],
  );
  const spans = rows.map(({ fromAt, untilAt }) => ({ fromMs: fromAt.getTime(), untilMs: untilAt.getTime() })).reverse();
  const [first] = spans;
  if (first === undefined) return { nowMs, judgedIn: [{ fromMs: sinceMs, untilMs: nowMs }] };
  const before = rows.length < mostSpans ? [{ fromMs: Math.min(sinceMs, first.fromMs), untilMs: first.fromMs }] : [];
  return { nowMs, judgedIn: joined([...before, ...spans], nowMs) };
}

/** A row that ends shortly before now is still lengthened. */
function joined(spans: readonly TimeSpan[], nowMs: number): TimeSpan[] {
  const all: TimeSpan[] = [];
  for (const { fromMs, untilMs } of spans) {
    const span = { fromMs, untilMs: nowMs - untilMs <= silentSeconds * 1_000 ? nowMs : untilMs };
    const last = all.at(-1);
    if (last === undefined || span.fromMs > last.untilMs) all.push(span);
    else all[all.length - 1] = { fromMs: last.fromMs, untilMs: Math.max(last.untilMs, span.untilMs) };
  }
  return all;
}
