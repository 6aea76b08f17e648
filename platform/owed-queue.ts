// A queue of owed work is declared beside the job that it carries: one kind of owed work, how many at once, how long one
// may take.
import type { OwedJob } from './owed-work.ts';

export interface OwedQueue {
  /** The kind of owed work, and the queue's name: lower-case letters and hyphens. */
  readonly kind: string;
  /** Jobs at once in one process. */
  readonly concurrency: number;
  /** A job's signal is aborted then, and soon after its claim ends. */
  readonly deadlineMs: number;
  /**
   * Does the work and calls `finishOwed(tx, job)` in the transaction of its effect. It may run twice at once after a
   * lost connection: only one of the two can finish. What it throws makes the job due again, later each time.
   */
  run(job: OwedJob, options: { readonly signal: AbortSignal }): Promise<void>;
  /** Makes the first row of work that recurs by itself; called at each start. */
  begin?(): Promise<void>;
}
