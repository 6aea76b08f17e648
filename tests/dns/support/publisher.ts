// Carries out owed publications and checks like a worker, but one after the other and only when the test calls it.
import { createDriftQueue } from '../../../dns/publish/drift-queue.ts';
import { createPublishQueue } from '../../../dns/publish/publish-queue.ts';
import { createServerQueue } from '../../../dns/publish/server-queue.ts';
import type { ZoneServers } from '../../../dns/publish/zone-servers.ts';
import { OwedRunner } from '../../support/product/owed-runner.ts';
import type { TestContext } from '../../support/product/test-context.ts';

export class TestPublisher {
  readonly #runner: OwedRunner;

  constructor({ db, wake, log }: TestContext, servers: ZoneServers['servers']) {
    this.#runner = new OwedRunner(db, [
      createPublishQueue({ db, wake, servers }),
      createServerQueue({ db, wake, log, servers }),
      createDriftQueue({ db, wake, log, servers, intervalMs: 3_600_000 }),
    ]);
  }

  /** Runs all due work once. Returns the errors of failed work, which is soon due again. */
  runDue(kind: 'dns-publish' | 'dns-look' | 'dns-server' = 'dns-publish'): Promise<readonly Error[]> {
    return this.#runner.runDue(kind);
  }
}
