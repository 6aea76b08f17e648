// Names at third-party DNS backends. A checker reports verdicts, and the resulting work runs like in workers until the
// state that a test waits for.
import { BackendOpener } from '../../../../dns/backends/open-backends.ts';
import { createZoneQueue } from '../../../../dns/backends/zone-queue.ts';
import { createPublishQueue } from '../../../../dns/publish/publish-queue.ts';
import { createServerQueue } from '../../../../dns/publish/server-queue.ts';
import { createEvaluationQueues } from '../../../../subgraphs/gslb/control/verdicts/evaluation-queue.ts';
import { waitFor } from '../../../support/machine/temporary-folder.ts';
import { OwedRunner } from '../../../support/product/owed-runner.ts';
import { type GslbGraph, identity } from './gslb-graph.ts';
import { speaker } from './speaker.ts';

const who = identity('MEMBER');

/** `timeoutMs`: timeout of one call to a server. The caller closes the backends. */
export async function publishing(graph: GslbGraph, monitorId: string, timeoutMs: number) {
  const { dependencies, say } = await speaker(graph, monitorId);
  const { db, wake, log, egress } = graph;
  const backends = new BackendOpener({ db, egress, sealer: async () => graph.sealer, timeoutMs });
  const runner = new OwedRunner(db, [
    ...createEvaluationQueues({ ...dependencies, db, pendingMs: 3_600_000, nameRestMs: 86_400_000 }),
    createZoneQueue({ db, backends }),
    createPublishQueue({ db, wake, servers: [], backends }),
    createServerQueue({ db, wake, log, servers: [], backends }),
  ]);
  const until = (what: string, isSo: () => Promise<boolean>) =>
    waitFor(what, async () => {
      const errors = await runner.runDue();
      if (await isSo()) return true;
      if (errors.length > 0) log.info({ errors: errors.map(String) }, 'not published yet');
      return false;
    });
  return { say, until, backends };
}

export async function statusOf(graph: GslbGraph, gslb: string): Promise<string> {
  const query = 'query ($id: ID!) { gslb(id: $id) { provisioningStatus } }';
  const seen = await graph.ask<{ gslb: { provisioningStatus: string } }>(who, query, { id: gslb });
  return seen.gslb.provisioningStatus;
}

/** The explanation's entry for each server that it queried. */
export async function explainedServers(graph: GslbGraph, name: string): Promise<readonly object[]> {
  const query =
    'query ($name: String!) { gslbExplain(name: $name) { servers { name planned { outcome } answered { records { data } } message } } }';
  const { gslbExplain } = await graph.ask<{ gslbExplain: { servers: readonly object[] } }>(who, query, { name });
  return gslbExplain.servers;
}
