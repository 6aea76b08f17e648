// A list with all of its links makes as many statements for many rows as for few.
import { beforeAll, expect, jest, test } from '@jest/globals';
import { encodeCmpObject } from '../../../platform/pages/cmp-object.ts';
import { decodeUuid, encodeId, newUuid } from '../../../platform/values/ids.ts';
import { insertNode } from '../../../subgraphs/loadbalancer/control/nodes/node-store.ts';
import { forFile } from '../../support/jest/shared.ts';
import { BalancerGraph, type Ids, identity, makeTree, projectA, projectB } from './support/balancer-graph.ts';
import { connectHost } from './support/host-records.ts';

const [few, many] = [10, 100];
/** Answers may join or split their batches, depending on whether they arrive at the same time. */
const split = 2;
const graph = forFile(() => BalancerGraph.open());
const admin = identity('ADMIN');

beforeAll(async () => {
  for (let count = 0; count < many; count += 1) await addHostOf(await makeTree(graph, `web-${count}`), count);
}, 120_000);

/** Adds a host with a node of the load balancer, and autoscaling. */
async function addHostOf({ loadBalancer }: Ids, count: number): Promise<void> {
  await graph.make('autoscalingPolicySet', { loadBalancerId: loadBalancer, policy: {} }, 'loadBalancer { id }');
  const [hostId, octet] = [newUuid(), count + 1];
  await graph.db.transaction(async (tx) => {
    await connectHost(...([tx, graph.wake, { id: hostId, name: `host-${count}` }] as const), {
      ...{ provider: 'LOOPBACK', site: null, tunnelAddress: null, maxNodes: 1, healthPort: 9 },
      ...{ publicRange: `198.51.${octet}.0/24`, managementRange: `198.51.${octet}.0/24` },
    });
    await insertNode(tx, graph.wake, {
      ...{ id: newUuid(), projectId: projectA, loadBalancerId: decodeUuid('LoadBalancer', loadBalancer) ?? '' },
      ...{ hostId, name: `node-${count}`, address: `198.51.${octet}.2`, managementAddress: `198.51.${octet}.2` },
      ...{ connections: 100, threads: 1 },
    });
  });
}

async function statementsOf(
  text: string,
  variables: Record<string, unknown>,
  who = admin,
): Promise<readonly [number, string]> {
  const query = jest.spyOn(graph.db, 'query');
  const data = await graph.ask<object>(who, text, variables);
  // The feed of status changes and the sequencer poll all the time.
  const count = query.mock.calls.filter(([sql]) => !/^SELECT (seq|1 FROM status_change)\b/.test(String(sql))).length;
  query.mockRestore();
  return [count, JSON.stringify(data)];
}

const lists: readonly (readonly [string, string])[] = [
  [
    'load balancers with their parts',
    `loadBalancers(first: $first) { nodes { id urls operatingStatus operatingReason subnet { id }
      listeners { id operatingStatus provisioningStatus defaultPool { id } certificates { id }
        l7Policies { id redirectPool { id } l7Rules { id } } traffic(period: MINUTE) { requests } stats { totalRequests } }
      pools { id operatingStatus healthMonitor { id } clientCertificate { id } listeners { id } l7Policies { id }
        members { nodes { id operatingStatus pool { id } } } } } }`,
  ],
  [
    'load balancers with their nodes and scaling',
    `loadBalancers(first: $first) { nodes { id addresses nodes { id loadBalancerHost { id placedNodes { nodes { id } } }
      replaces { id } loadBalancer { id } } autoscaling { id loadBalancer { id } }
      scalingDecisions { nodes { id figures { node { id } } } } changes: scalingDecisions(changed: true) { nodes { id } } } }`,
  ],
  [
    'hosts',
    'loadBalancerHosts(first: $first) { nodes { id nodeCount placedNodes { nodes { id loadBalancer { id } } } } }',
  ],
];

test.each(lists)('%s', async (_, list) => {
  const text = `query ($first: Int!) { ${list} }`;
  const [ofFew, fewShown] = await statementsOf(text, { first: few });
  const [ofMany, manyShown] = await statementsOf(text, { first: many });
  expect(ofMany).toBeLessThanOrEqual(ofFew + split);
  expect(manyShown.length).toBeGreaterThan(8 * fewShown.length);
});

test('projects with their load balancers and quotas', async () => {
  const text = `query ($projects: [_Any!]!) { _entities(representations: $projects) { ... on Project { id
    loadBalancers(first: 3) { nodes { id } pageInfo { hasNextPage } } loadBalancerQuotas { kind limit used } } } }`;
  const project = (id: string) => ({ __typename: 'Project', id: encodeId('Project', id) });
  const others = Array.from({ length: 20 }, () => project(newUuid()));
  const [ofOne] = await statementsOf(text, { projects: [project(projectA)] });
  const [ofAll, shown] = await statementsOf(text, { projects: [project(projectA), project(projectB), ...others] });
  expect(ofAll).toBeLessThanOrEqual(ofOne + split);
  expect(shown).toContain('"hasNextPage":true');
  expect(shown).toContain(`{"kind":"LOAD_BALANCERS","limit":10000,"used":${many}}`);
  expect(shown).toContain('{"kind":"MEMBERS","limit":10000,"used":0}');
});

test('CMP objects with their load balancers', async () => {
  await graph.db.execute("UPDATE lb_load_balancer SET cmp_namespace = 'default', cmp_type = 'tenant', cmp_id = name");
  const text = `query ($objects: [_Any!]!) { _entities(representations: $objects) { ... on CmpObject {
    loadBalancers(first: 3) { nodes { name } totalCount } } } }`;
  const objects = Array.from({ length: many }, (_, at) => ({
    ...{
      __typename: 'CmpObject',
      id: encodeCmpObject({ namespace: 'default', type: 'tenant', externalId: `web-${at}` }),
    },
  }));
  for (const who of [admin, identity('VIEWER')]) {
    const [ofFew] = await statementsOf(text, { objects: objects.slice(0, few) }, who);
    const [ofMany, shown] = await statementsOf(text, { objects }, who);
    expect(ofMany).toBe(ofFew);
    expect(JSON.parse(shown)._entities).toEqual(
      objects.map((_, at) => ({ loadBalancers: { nodes: [{ name: `web-${at}` }], totalCount: 1 } })),
    );
  }
});

test('a pool and a certificate link back to the objects that use them', async () => {
  const { loadBalancer, pool, listener, rawPool } = await makeTree(graph, 'users');
  const policy = { listenerId: listener, action: 'REDIRECT_TO_POOL', redirectPoolId: pool };
  const { id: l7Policy } = await graph.make('l7PolicyCreate', policy, 'l7Policy { id }');
  const text = `query ($used: ID!, $raw: ID!) { used: pool(id: $used) { listeners { id } l7Policies { id } }
    raw: pool(id: $raw) { listeners { id } l7Policies { id } } }`;
  expect(await graph.ask<object>(admin, text, { used: pool, raw: rawPool })).toEqual({
    used: { listeners: [{ id: listener }], l7Policies: [{ id: l7Policy }] },
    raw: { listeners: [], l7Policies: [] },
  });
  await graph.make('l7PolicyDelete', { id: l7Policy }, 'l7Policy { id }');
  await graph.make('loadBalancerDelete', { id: loadBalancer }, 'loadBalancer { id }');
});

test('a page below a parent continues where the one before ended, and skips deleted rows', async () => {
  const text = `query ($first: Int!, $after: String) { projectSubnets { nodes { loadBalancers(first: $first, after: $after) {
    nodes { name } pageInfo { hasNextPage endCursor } } } } }`;
  interface Shown {
    readonly loadBalancers: {
      readonly nodes: readonly { readonly name: string }[];
      readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string };
    };
  }
  // Deleted rows are kept for readers of changes.
  const gone = Array.from({ length: 30 }, (_, at) => `web-${at + 2}`);
  const marks = gone.map(() => '?').join(', ');
  await graph.db.execute(
    `UPDATE lb_load_balancer SET live_name = NULL, deleted_at = NOW(3), provisioning_status = 'DELETED' WHERE name IN (${marks})`,
    gone,
  );
  const names: string[] = [];
  for (let after: string | null = null; ; ) {
    const shown: { projectSubnets: { nodes: readonly Shown[] } } = await graph.ask(admin, text, { first: 7, after });
    const page: Shown['loadBalancers'] | undefined = shown.projectSubnets.nodes[0]?.loadBalancers;
    names.push(...(page?.nodes ?? []).map(({ name }) => name));
    if (page?.pageInfo.hasNextPage !== true) break;
    after = page.pageInfo.endCursor;
  }
  expect(names.filter((name) => name.startsWith('web-'))).toEqual(
    Array.from({ length: many }, (_, at) => `web-${at}`).filter((name) => !gone.includes(name)),
  );
});
