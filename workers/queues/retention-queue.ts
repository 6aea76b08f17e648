// Retention: what is older than it has to be kept is deleted once an hour, by whichever worker gets the job.
import type { Database } from '../../platform/database/database.ts';
import type { OwedQueue } from '../../platform/owed-queue.ts';
import { finishOwed, owe } from '../../platform/owed-work.ts';

export interface RetentionQueueOptions {
  readonly db: Database;
  /** Deletes what is due, in transactions of its own; may be cut short by the signal and go on next time. */
  readonly runOnce: (signal: AbortSignal) => Promise<unknown>;
  /** Default one hour. */
  readonly everyMs?: number;
  /** After a start; default one minute. */
  readonly firstInMs?: number;
}

const kind = 'retention';
const key = 'all';

export function createRetentionQueue(options: RetentionQueueOptions): OwedQueue {
  const { db, runOnce, everyMs = 3_600_000, firstInMs = 60_000 } = options;
  return {
    kind,
    concurrency: 1,
    deadlineMs: 60_000,
    // Deleting twice is deleting once: only the date of the next run is fenced.
    async run(job, { signal }) {
      await runOnce(signal);
      await db.transaction(async (tx) => {
        await finishOwed(tx, job);
        await owe(tx, kind, key, { dueInMs: signal.aborted ? 0 : everyMs });
      });
    },
    begin: () => db.transaction((tx) => owe(tx, kind, key, { dueInMs: firstInMs })),
  };
}
