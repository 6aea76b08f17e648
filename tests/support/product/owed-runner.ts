// Carries out owed work like a worker, but one piece after another, when the test asks for it.
import type { Database } from '../../../platform/database/database.ts';
import type { OwedQueue } from '../../../platform/owed/owed-queue.ts';
import { OwedWork } from '../../../platform/owed/owed-work.ts';

export class OwedRunner {
  readonly #work: OwedWork;
  readonly #queues: readonly OwedQueue[];

  constructor(db: Database, queues: readonly OwedQueue[]) {
    this.#work = new OwedWork({ db, retry: { firstMs: 1, mostMs: 50, forever: true } });
    this.#queues = queues;
  }

  /**
   * Runs all work that is due now, once: of one kind, or of all. Returns the errors of failed work, which is due again
   * soon.
   */
  async runDue(only?: string): Promise<readonly Error[]> {
    const errors: Error[] = [];
    for (const queue of this.#queues.filter(({ kind }) => only === undefined || kind === only)) {
      const { kind } = queue;
      for (const { key } of await this.#work.dueRows({ kinds: [kind], limit: 100 })) {
        const job = await this.#work.claim(kind, key);
        if (job === undefined) continue;
        try {
          await queue.run(job, { signal: AbortSignal.timeout(queue.deadlineMs) });
        } catch (error) {
          errors.push(error as Error);
          await this.#work.fail(job, error);
        }
      }
    }
    return errors;
  }
}
