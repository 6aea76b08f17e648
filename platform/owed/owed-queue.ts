// A queue of owed work, declared beside its job: one kind of work, its concurrency, its time limit.
import type { ClaimedJob, RetryPolicy } from './owed-work.ts';

export interface OwedQueue {
  /** The kind of owed work, and the queue's name: lower-case letters and hyphens. */
  readonly kind: string;
  /** Jobs at once in one process. */
  readonly concurrency: number;
  /** Afterwards the job's signal is aborted, and soon after its claim ends. */
  readonly deadlineMs: number;
  /** Default `usualRetry`. */
  readonly retry?: RetryPolicy;
  /**
   * Does the work and calls `finishOwed(tx, job)` in the transaction of its effect. It may run twice at once, after a lost
   * connection or a pause of the process: only one of the two can finish. Before an effect outside the database that nothing there
   * fences, ask `job.isHeld()`. The signal is also aborted when another process has the job. An error makes the job due again,
   * according to `retry`.
   */
  run(job: ClaimedJob, options: { readonly signal: AbortSignal }): Promise<void>;
  /** Inserts the first row of recurring work; called at each start. */
  begin?(): Promise<void>;
}
