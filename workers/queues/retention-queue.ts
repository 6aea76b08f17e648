// Retention: rows older than their retention period are deleted once an hour, by the worker that gets the job.
import type { Database } from '../../platform/database/database.ts';
import type { OwedQueue } from '../../platform/owed/owed-queue.ts';
import { finishOwed, owe } from '../../platform/owed/owed-work.ts';

interface RetentionQueueOptions {
  readonly db: Database;
  /** Deletes what is due, in transactions of its own; the signal may stop it, and the next run continues. */
  readonly runOnce: (signal: AbortSignal) => Promise<unknown>;
  /** Default one hour. */
  readonly everyMs?: number;
  /** Delay after a start; default one minute. */
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
    // Deleting twice does no harm: only the date of the next run is fenced.
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
