// Autoscaling and traffic as a user sees them, in the graph of a whole process with its worker and its Redis.
import { expect, test } from '@jest/globals';
import { subgraphRows } from '../../../../../subgraphs/rows.ts';
import { forFile } from '../../../../support/jest/shared.ts';
import { waitFor } from '../../../../support/machine/temporary-folder.ts';
import { ask, mountInOneProcess } from '../../../../support/product/mounted-graph.ts';

const mounted = forFile(() => mountInOneProcess({ rows: subgraphRows }));

test('a policy is set, decided by the worker every period, and read; traffic is empty without nodes', async () => {
  const create = `mutation ($input: LoadBalancerCreateInput!) { loadBalancerCreate(input: $input) {
    loadBalancer { id autoscaling { id targetPercent timeZone schedule { days from to minNodes maxNodes } loadBalancer { name } } }
    userErrors { code message field } } }`;
  const schedule = [{ days: [1, 2, 3, 4, 5, 6, 7], from: '00:00', to: '00:00', minNodes: 2, maxNodes: 3 }];
  const autoscaling = { periodMs: 5_000, targetPercent: 50, schedule };
  const input = {
    ...{ name: 'scaled', minNodes: 1, maxNodes: 8, autoscaling },
    pools: [{ name: 'web', memberProtocol: 'HTTP', members: [{ host: '127.0.0.1', port: 8_080 }] }],
    listeners: [{ protocol: 'HTTP', port: 8_000, defaultPool: 'web' }],
  };
  type Created = { loadBalancerCreate: { loadBalancer: { id: string } | null; userErrors: object[] } };
  const created = await ask<Created>(mounted, create, { input });
  expect(created.loadBalancerCreate).toEqual({
    loadBalancer: {
      id: expect.any(String),
      autoscaling: {
        id: expect.any(String),
        targetPercent: 50,
        timeZone: 'UTC',
        schedule,
        loadBalancer: { name: 'scaled' },
      },
    },
    userErrors: [],
  });
  const id = created.loadBalancerCreate.loadBalancer?.id;
  const read = `query ($id: ID!) { loadBalancer(id: $id) {
    wantedNodes traffic { startedAt requests } stats { activeConnections totalRequests requestErrors bytesIn bytesOut }
    autoscaling { decidedAt }
    listeners { traffic(period: MINUTE) { requests } stats { totalRequests } }
    pools { members { nodes { traffic(period: HOUR, periods: 24) { requests } } } }
    scalingDecisions(first: 2) { nodes { id decidedAt action fromNodes toNodes recommendedNodes reason dryRun
      figures { node { id } nodeName loadPercent measuredAt warmingUp } } pageInfo { hasNextPage endCursor } } } }`;
  type Decision = { decidedAt: string; action: string; fromNodes: number; toNodes: number };
  type Read = { loadBalancer: { scalingDecisions: { nodes: Decision[]; pageInfo: { endCursor: string } } } };
  const seen = await waitFor('two decisions', async () => {
    const { loadBalancer } = await ask<Read>(mounted, read, { id });
    return loadBalancer.scalingDecisions.nodes.length === 2 && loadBalancer;
  });
  const nothing = { activeConnections: 0, totalRequests: '0', requestErrors: '0', bytesIn: '0', bytesOut: '0' };
  expect(seen).toMatchObject({
    ...{ wantedNodes: 2, traffic: [], stats: nothing, autoscaling: { decidedAt: expect.any(String) } },
    listeners: [{ traffic: [], stats: { totalRequests: '0' } }],
    pools: [{ members: { nodes: [{ traffic: [] }] } }],
  });
  const [last, first] = seen.scalingDecisions.nodes;
  expect(first).toMatchObject({
    ...{ action: 'GROW', fromNodes: 1, toNodes: 2, recommendedNodes: 1, dryRun: false },
    reason: 'no node reported figures; at least 2 from 00:00 to 00:00',
  });
  expect(last).toMatchObject({ action: 'KEEP', fromNodes: 2, toNodes: 2 });
  expect(Date.parse(last?.decidedAt ?? '') - Date.parse(first?.decidedAt ?? '')).toBeGreaterThanOrEqual(4_500);
  const older = `query ($id: ID!, $after: String) { loadBalancer(id: $id) { scalingDecisions(first: 1, after: $after) { nodes { id } } } }`;
  const { loadBalancer } = await ask<Read>(mounted, older, { id, after: seen.scalingDecisions.pageInfo.endCursor });
  expect(loadBalancer.scalingDecisions.nodes).toEqual([]);
  const end = `mutation ($input: AutoscalingPolicyDeleteInput!) { autoscalingPolicyDelete(input: $input) {
    loadBalancer { wantedNodes autoscaling { id } } deletedId userErrors { code } } }`;
  expect(await ask(mounted, end, { input: { loadBalancerId: id } })).toEqual({
    autoscalingPolicyDelete: {
      ...{ loadBalancer: { wantedNodes: 1, autoscaling: null }, deletedId: expect.any(String), userErrors: [] },
    },
  });
});
