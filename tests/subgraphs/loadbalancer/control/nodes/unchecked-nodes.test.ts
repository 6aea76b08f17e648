// Found by reading: a node whose health check the egress policy denies counted as down, and was replaced for no reason.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from '@jest/globals';
import { Registry } from 'prom-client';
import { CheckEngine } from '../../../../../platform/checks/check-engine.ts';
import { createCheckMetrics } from '../../../../../platform/checks/check-metrics.ts';
import { Leases } from '../../../../../platform/leases/leases.ts';
import { newUuid } from '../../../../../platform/values/ids.ts';
import { createNodeChecks, usualNodeChecks } from '../../../../../subgraphs/loadbalancer/control/nodes/node-checks.ts';
import { readNodes } from '../../../../../subgraphs/loadbalancer/control/nodes/node-store.ts';
import { forFile } from '../../../../support/jest/shared.ts';
import { waitFor } from '../../../../support/machine/temporary-folder.ts';
import { BalancerPlace } from '../../support/balancer-place.ts';
import { connectHost } from '../../support/host-records.ts';

const place = forFile(() => BalancerPlace.open());

test('a node whose check the egress policy denies keeps its status, reports the reason, and is checked again once allowed', async () => {
  const { db, wake, log, egress } = place.ground;
  const incarnation = newUuid();
  let nodeId = '';
  const web = createServer((_, response) => response.end(JSON.stringify({ node: nodeId, incarnation })));
  await new Promise<void>((resolve) => web.listen(0, '127.64.0.9', resolve));
  const { port: healthPort } = web.address() as AddressInfo;
  const range = '127.64.0.0/24';
  const facts = { provider: 'LOOPBACK', site: null, tunnelAddress: null, maxNodes: 5, healthPort } as const;
  const host = await db.transaction((tx) =>
    connectHost(tx, wake, { id: newUuid(), name: 'host' }, { ...facts, publicRange: range, managementRange: range }),
  );
  nodeId = await place.node(await place.balancer('web'), 'node');
  const at = (address: string) =>
    db.execute(
      "UPDATE lb_node SET host_id = ?, management_address = ?, address = ?, operating_status = 'ONLINE', updated_at = NOW(3) WHERE id = ?",
      [host.id, address, address, nodeId],
    );
  const read = async () => {
    const row = (await readNodes(db, [nodeId])).get(nodeId);
    return [row?.operatingStatus, row?.suspect, row?.downSince, row?.reason];
  };
  // Outside all management ranges.
  await at('192.0.2.9');
  const registry = new Registry();
  const owner = newUuid();
  const leases = new Leases({ db, owner, log, ttlMs: 3_000, renewMs: 1_000 });
  const engine = new CheckEngine({
    tenant: createNodeChecks({ db, wake, egress, settings: { ...usualNodeChecks, intervalMs: 50, timeoutMs: 40 } }),
    ...{ leases, owner, log, egress, guard: { starvedSince: () => false }, selfCheck: { passes: async () => true } },
    metrics: createCheckMetrics(registry),
  });
  const checks = async (outcome: string) => {
    const line = (await registry.metrics()).split('\n').find((each) => each.includes(`outcome="${outcome}"`));
    return Number(line?.split(' ').at(-1) ?? 0);
  };
  engine.start();
  try {
    await waitFor('the reason', async () => (await read())[3] !== null);
    await waitFor(
      'more checks than make a node down',
      async () => (await checks('INCONCLUSIVE')) > 3 * usualNodeChecks.fall,
    );
    expect(await read()).toEqual([
      ...['ONLINE', false, null],
      expect.stringMatching(/^its health checks are not made: connections to 192\.0\.2\.9.* are denied/),
    ]);
    await at('127.64.0.9');
    wake.notify('lb-nodes');
    await waitFor('a check that was made', async () => (await read())[3] === null);
    expect(await read()).toEqual(['ONLINE', false, null, null]);
  } finally {
    await engine.stop();
    await leases.stop();
    await new Promise((resolve) => web.close(resolve));
  }
});
