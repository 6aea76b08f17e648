// Carries out owed publications and looks as a worker does, but one after the other, when the test says so.
import { createLookQueue } from '../../../dns/publish/look-queue.ts';
import { createPublishQueue } from '../../../dns/publish/publish-queue.ts';
import { createServerQueue } from '../../../dns/publish/server-queue.ts';
import type { RecordServer } from '../../../dns/servers/record-server.ts';
import type { OwedQueue } from '../../../platform/owed-queue.ts';
import { OwedWork } from '../../../platform/owed-work.ts';
import type { TestGround } from '../../support/ground.ts';

export class TestPublisher {
  readonly #work: OwedWork;
  readonly #queues: readonly OwedQueue[];

  constructor({ db, wake, log }: TestGround, servers: readonly RecordServer[]) {
    this.#work = new OwedWork({ db, retry: { firstMs: 1, mostMs: 50, forever: true } });
    this.#queues = [
      createPublishQueue({ db, wake, servers }),
      createServerQueue({ db, wake, log, servers }),
      createLookQueue({ db, wake, log, servers, intervalMs: 3_600_000 }),
    ];
  }

  /** All that is due now, once; returns the errors of what failed, which is due again soon. */
  async runDue(kind: 'dns-publish' | 'dns-look' | 'dns-server' = 'dns-publish'): Promise<readonly Error[]> {
    const queue = this.#queues.find((each) => each.kind === kind);
    const errors: Error[] = [];
    for (const { key } of await this.#work.dueRows({ kinds: [kind], limit: 100 })) {
      const job = await this.#work.claim(kind, key);
      if (job === undefined) continue;
      try {
        await queue?.run(job, { signal: AbortSignal.timeout(queue.deadlineMs) });
      } catch (error) {
        errors.push(error as Error);
        await this.#work.fail(job, error);
      }
    }
    return errors;
  }
}
