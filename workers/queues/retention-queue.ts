// Retention: rows older than their retention period are deleted once an hour, by the worker that gets the job. If a run leaves some, the next is due
// at once.
import type { Database } from '../../platform/database/database.ts';
import type { OwedQueue } from '../../platform/owed/owed-queue.ts';
import { finishOwed, owe } from '../../platform/owed/owed-work.ts';
import type { RunRetention } from '../retention-run.ts';

interface RetentionQueueOptions {
  readonly db: Database;
  /** Deletes what is due, in transactions of its own; the signal may stop it, and the next run continues. */
  readonly runOnce: RunRetention;
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
      const { more } = await runOnce(signal);
      await db.transaction(async (tx) => {
        await finishOwed(tx, job);
        await owe(tx, kind, key, { dueInMs: more || signal.aborted ? 0 : everyMs });
      });
    },
    begin: () => db.transaction((tx) => owe(tx, kind, key, { dueInMs: firstInMs })),
  };
}
