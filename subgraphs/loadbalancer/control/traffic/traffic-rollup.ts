// Rolls up traffic: minutes from the seconds in Redis, and hours from minutes. The jobs recur; they may run twice, and they catch up.
import type { Database } from '../../../../platform/database/database.ts';
import type { OwedQueue } from '../../../../platform/owed/owed-queue.ts';
import { finishOwed, owe, reconcilingRetry } from '../../../../platform/owed/owed-work.ts';
import { subjectsIn } from './traffic-figures.ts';
import type { TrafficSeconds } from './traffic-seconds.ts';
import { hoursSince, writeHour, writeMinutes } from './traffic-store.ts';

interface TrafficRollupOptions {
  readonly db: Database;
  readonly seconds: TrafficSeconds;
  /** Default: the clock. */
  readonly now?: () => number;
}

const kind = 'lb-traffic';
const minuteS = 60;
const hourMs = 3_600_000;
/** Reports are a little late, and clocks differ. */
const lateS = 10;
/** Within this time all seconds of a minute still exist. */
const mostMinutesBack = 5;
/** Minutes are kept a little longer than this. */
const mostHoursBack = 47;
/** Repeated because their last minutes may have been late. */
const hoursAgain = 2;

export function createTrafficQueue(options: TrafficRollupOptions): OwedQueue {
  const { db, now = Date.now } = options;
  return {
    kind,
    concurrency: 1,
    deadlineMs: 60_000,
    // The seconds of a minute do not last: after an outage it must go on at once, not in an hour as a dead letter.
    retry: reconcilingRetry,
    async run(job, { signal }) {
      const isMinute = job.key === 'minute';
      if (isMinute) await rollMinutes(options, signal);
      else await rollHours(options, signal);
      const everyMs = isMinute ? minuteS * 1_000 : hourMs;
      // Hours come after the minutes from which they are made.
      const afterMs = (isMinute ? lateS : 2 * minuteS) * 1_000;
      const nextInMs = everyMs - ((now() - afterMs) % everyMs);
      await db.transaction(async (tx) => {
        await finishOwed(tx, job);
        await owe(tx, kind, job.key, { dueInMs: signal.aborted ? 0 : nextInMs });
      });
    },
    begin: () =>
      db.transaction(async (tx) => {
        await owe(tx, kind, 'minute', { dueInMs: 1_000 });
        await owe(tx, kind, 'hour', { dueInMs: 60_000 });
      }),
  };
}

/** Minutes that have ended and whose seconds still exist. */
export async function rollMinutes(
  { db, seconds, now = Date.now }: TrafficRollupOptions,
  signal?: AbortSignal,
): Promise<void> {
  const nowS = Math.floor(now() / 1_000) - lateS;
  const ended = nowS - (nowS % minuteS);
  for (let back = mostMinutesBack; back > 0; back -= 1) {
    const begin = ended - back * minuteS;
    for (const balancerId of await seconds.balancersIn(begin)) {
      if (signal?.aborted === true) return;
      const reports = [...(await seconds.read(balancerId, begin, begin + minuteS - 1)).values()].flat();
      const at = new Date(begin * 1_000);
      const rows = [...subjectsIn(balancerId, reports)].map(([subjectId, figures]) => ({ subjectId, at, ...figures }));
      await writeMinutes(db, rows);
    }
  }
}

/** Hours that have ended and do not exist yet, and the last ones again. */
export async function rollHours(
  { db, now = Date.now }: Omit<TrafficRollupOptions, 'seconds'>,
  signal?: AbortSignal,
): Promise<void> {
  const ended = now() - (now() % hourMs);
  const made = new Set(await hoursSince(db, new Date(ended - mostHoursBack * hourMs)));
  for (let back = mostHoursBack; back > 0; back -= 1) {
    if (signal?.aborted === true) return;
    const begin = ended - back * hourMs;
    if (back <= hoursAgain || !made.has(begin)) await writeHour(db, new Date(begin));
  }
}
