// Changes of load balancers: quotas hold under parallel requests, no change is refused because of another one, what is deleted leaves
// nothing that no one needs, and the preview tells what a change would do.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type ExecutionResult, parse, subscribe } from 'graphql';
import { decodeUuid } from '../../../platform/ids.ts';
import { lockBalancer, setProvisioning } from '../../../subgraphs/loadbalancer/stores/balancer-store.ts';
import {
  BalancerGraph,
  type Fault,
  identity,
  makeTree,
  projectA,
  projectB,
  projectId,
} from './support/balancer-graph.ts';

let graph: BalancerGraph;
const member = identity('MEMBER');

beforeAll(async () => {
  graph = await BalancerGraph.open();
});
afterAll(async () => graph.stop());

test('a load balancer is created with its whole tree and read as one', async () => {
  const ids = await makeTree(graph, 'whole');
  const { loadBalancer } = await graph.ask<{ loadBalancer: object }>(
    member,
    `query ($id: ID!) { loadBalancer(id: $id) { name hostName urls provisioningStatus operatingStatus statusMessage generation wantedNodes
      project { id } subnet { name cidr provisioningStatus loadBalancers { nodes { name } } }
      listeners { port operatingStatus defaultPool { name } l7Policies { action position l7Rules { value provisioningStatus } } }
      pools { name operatingStatus statusMessage healthMonitor { type path intervalMs } members { nodes { host port weight operatingStatus drainUntil } } } } }`,
    { id: ids.loadBalancer },
  );
  expect(loadBalancer).toMatchObject({
    ...{ name: 'whole', hostName: 'whole.alpha.lb.test', urls: ['http://whole.alpha.lb.test/'], generation: 1 },
    ...{ provisioningStatus: 'PENDING', operatingStatus: 'ERROR', statusMessage: 'no node serves', wantedNodes: 2 },
    subnet: { name: 'default', cidr: '10.64.0.0/20', provisioningStatus: 'ACTIVE' },
    listeners: [
      {
        ...{ port: 80, operatingStatus: 'UNKNOWN', defaultPool: { name: 'web' } },
        l7Policies: [
          { action: 'REJECT', position: 1000, l7Rules: [{ value: '/private', provisioningStatus: 'PENDING' }] },
        ],
      },
    ],
    pools: [
      {
        ...{ name: 'web', operatingStatus: 'UNKNOWN', healthMonitor: { type: 'HTTP', path: null, intervalMs: 2000 } },
        members: { nodes: [{ host: '192.0.2.10', port: 80, weight: 1, operatingStatus: 'UNKNOWN', drainUntil: null }] },
      },
      { name: 'raw', operatingStatus: 'ERROR', statusMessage: 'no member takes requests' },
    ],
  });
});

test('the first load balancers of a project may be created at the same time: one of them makes its subnet', async () => {
  const who = identity('MEMBER', projectB);
  const made = await Promise.all(
    Array.from({ length: 10 }, (_, at) => graph.mutate('loadBalancerCreate', { name: `first-${at}` }, who)),
  );
  expect(made.flatMap(({ faults }) => faults)).toEqual([]);
  const { projectSubnets } = await graph.ask<{ projectSubnets: { nodes: readonly object[] } }>(
    who,
    '{ projectSubnets { nodes { name } } }',
  );
  expect(projectSubnets.nodes).toEqual([{ name: 'default' }]);
});

test('a quota holds when fifty requests come at the same time', async () => {
  const { pool } = await makeTree(graph, 'quota');
  const admin = identity('ADMIN');
  const used = async () => {
    const { quotas } = await graph.ask<{ quotas: readonly { kind: string; limit: number; used: number }[] }>(
      ...([member, '{ quotas: loadBalancerQuotas { kind limit used } }'] as const),
    );
    return quotas.find(({ kind }) => kind === 'MEMBERS');
  };
  const before = (await used())?.used ?? 0;
  const quota = { projectId: projectId(projectA), kind: 'MEMBERS', limit: before + 7 };
  expect((await graph.mutate('loadBalancerQuotaSet', quota, admin)).faults).toEqual([]);
  const made = await Promise.all(
    Array.from({ length: 50 }, (_, at) =>
      graph.mutate('memberCreate', { poolId: pool, host: '192.0.2.20', port: 1000 + at }),
    ),
  );
  expect(made.filter(({ faults }) => faults.length === 0)).toHaveLength(7);
  expect(new Set(made.flatMap(({ faults }) => faults))).toEqual(new Set(['QUOTA_EXCEEDED ']));
  expect(await used()).toMatchObject({ limit: before + 7, used: before + 7 });
  await graph.mutate('loadBalancerQuotaSet', { ...quota, limit: null }, admin);
  expect((await used())?.limit).toBe(10_000);
});

async function follow(text: string, variables: object, until: (seen: readonly string[]) => boolean): Promise<string[]> {
  const contextValue = { identity: member, requestId: 'r', loaders: new Map() };
  const stream = (await subscribe({
    ...{ schema: graph.schema, document: parse(text), variableValues: { ...variables }, contextValue },
  })) as AsyncGenerator<ExecutionResult>;
  const seen: string[] = [];
  for await (const { data, errors } of stream) {
    if (errors !== undefined) throw new Error(JSON.stringify(errors));
    seen.push(JSON.stringify(data));
    if (until(seen)) break;
  }
  return seen;
}

test('of two hundred changes at the same time none is refused: each has its generation, and the feed has them all', async () => {
  const { loadBalancer, pool } = await makeTree(graph, 'busy');
  const after = await graph.feed.currentCursor();
  const made = await Promise.all(
    Array.from({ length: 200 }, (_, at) =>
      graph.mutate('memberCreate', { poolId: pool, host: '192.0.2.30', port: 1000 + at }),
    ),
  );
  expect(made.flatMap(({ faults }) => faults)).toEqual([]);
  const { row } = await graph.ask<{ row: { generation: number; version: number; provisioningStatus: string } }>(
    ...([member, 'query ($id: ID!) { row: loadBalancer(id: $id) { generation version provisioningStatus } }'] as const),
    { id: loadBalancer },
  );
  expect(row).toEqual({ generation: 201, version: 201, provisioningStatus: 'PENDING' });
  const text =
    'subscription ($after: String) { loadBalancerChanges(after: $after) { cursor loadBalancer { id generation } } }';
  const seen = await follow(
    text,
    { after },
    (items) => items.filter((item) => item.includes(loadBalancer)).length === 200,
  );
  const own = seen.filter((item) => item.includes(loadBalancer));
  expect(own).toHaveLength(200);
  // From the cursor of the hundredth the other hundred follow.
  const { cursor } = (JSON.parse(own[99] ?? '') as { loadBalancerChanges: { cursor: string } }).loadBalancerChanges;
  const rest = await follow(
    text,
    { after: cursor },
    (items) => items.filter((item) => item.includes(loadBalancer)).length === 100,
  );
  expect(rest.filter((item) => item.includes(loadBalancer))).toHaveLength(100);
}, 60_000);

test('a member is drained until a deadline, and gets sessions again', async () => {
  const { member: id } = await makeTree(graph, 'drained');
  const drain = (input: object) =>
    graph.make<{ operatingStatus: string; drainUntil: string | null }>(
      ...(['memberDrain', { id, ...input }, 'member { operatingStatus drainUntil }'] as const),
    );
  const { operatingStatus, drainUntil } = await drain({ deadlineMs: 60_000 });
  expect(operatingStatus).toBe('DRAINING');
  expect(new Date(drainUntil ?? 0).getTime()).toBeGreaterThan(Date.now());
  expect(await drain({ drain: false })).toEqual({ operatingStatus: 'UNKNOWN', drainUntil: null });
});

test("a pool's members become those of the list", async () => {
  const { pool } = await makeTree(graph, 'set');
  const list = `pool { members { nodes { id host port weight } } }`;
  type Made = { members: { nodes: readonly { id: string; host: string; weight: number }[] } };
  const members = [
    { host: '192.0.2.10', port: 80, weight: 7 },
    { host: '192.0.2.11', port: 80 },
  ];
  const first = await graph.make<Made>('poolMembersSet', { id: pool, members }, list);
  expect(first.members.nodes.map(({ host, weight }) => [host, weight])).toEqual([
    ['192.0.2.10', 7],
    ['192.0.2.11', 1],
  ]);
  const second = await graph.make<Made>('poolMembersSet', { id: pool, members: members.slice(1) }, list);
  expect(second.members.nodes).toEqual(first.members.nodes.slice(1));
});

test('what a deleted load balancer had is deleted with it, and what it used is free at once', async () => {
  const ids = await makeTree(graph, 'gone');
  const uuid = decodeUuid('LoadBalancer', ids.loadBalancer) ?? '';
  expect((await graph.mutate('loadBalancerDelete', { id: ids.loadBalancer })).faults).toEqual([]);
  // Again, and a change of what is being deleted.
  expect((await graph.mutate('loadBalancerDelete', { id: ids.loadBalancer })).faults).toEqual([]);
  expect((await graph.mutate('memberUpdate', { id: ids.member, weight: 2 })).faults).toEqual(['NOT_FOUND input.id']);
  await graph.db.transaction(async (tx) => {
    const row = await lockBalancer(tx, uuid);
    if (row !== undefined) await setProvisioning(tx, graph.wake, row, { status: 'DELETED', reason: null });
  });
  const left = async (table: string, where: string) =>
    Number((await graph.db.query<{ n: number }>(`SELECT COUNT(*) AS n FROM ${table} WHERE ${where}`, [uuid]))[0]?.n);
  expect(await left('lb_part', 'load_balancer_id = ? AND deleted = 0')).toBe(0);
  expect(await left('lb_reference', 'part_id IN (SELECT id FROM lb_part WHERE load_balancer_id = ?)')).toBe(0);
  expect((await graph.mutate('loadBalancerDelete', { id: ids.loadBalancer })).faults).toEqual(['NOT_FOUND input.id']);
  await makeTree(graph, 'gone');
});

test('the preview tells what a change does to HAProxy, and changes nothing', async () => {
  const { loadBalancer, pool, listener } = await makeTree(graph, 'preview');
  const other = await makeTree(graph, 'preview-other');
  const preview = async (change: object) => {
    const { made } = await graph.ask<{
      made: { configuration: string; commands: string[]; reloads: boolean; reloadReason: string; userErrors: Fault[] };
    }>(
      member,
      `query ($id: ID!, $change: LoadBalancerChangeInput!) { made: loadBalancerPreview(id: $id, change: $change) {
        configuration commands reloads reloadReason userErrors { code field message } } }`,
      { id: loadBalancer, change },
    );
    return made;
  };
  const counted = async () =>
    graph.db.query(
      'SELECT (SELECT COUNT(*) FROM lb_part) AS parts, (SELECT COUNT(*) FROM audit_entry) AS audited, (SELECT COUNT(*) FROM status_change) AS events, (SELECT SUM(generation) FROM lb_load_balancer) AS generations',
    );
  const rows = await counted();
  const added = await preview({ memberCreate: { poolId: pool, host: '192.0.2.44', port: 8080 } });
  expect(added).toMatchObject({ reloads: false, reloadReason: null, userErrors: [] });
  expect(added.commands[0]).toMatch(/^add server p_[0-9a-f-]+\/m_[0-9a-f-]+ 192\.0\.2\.44:8080 /);
  expect(added.configuration).toMatch(/^\+ {2}server m_\S+ 192\.0\.2\.44:8080/m);
  const port = await preview({ listenerUpdate: { id: listener, connectionLimit: 10 } });
  expect(port).toMatchObject({ commands: [], reloads: true });
  expect(port.configuration).toMatch(/^\+ {2}maxconn 10$/m);
  const refused = await preview({ memberCreate: { poolId: pool, host: '192.0.2.10', port: 80 } });
  expect(refused.userErrors).toMatchObject([{ code: 'ALREADY_EXISTS', field: ['change', 'memberCreate', 'host'] }]);
  const several = await preview({ memberCreate: { poolId: pool, host: 'x', port: 1 }, poolDelete: { id: pool } });
  expect(several.userErrors).toMatchObject([{ code: 'INVALID_INPUT', field: ['change'] }]);
  const foreign = await preview({ poolUpdate: { id: other.pool, drainMs: 5 } });
  expect(foreign.userErrors).toMatchObject([{ code: 'NOT_FOUND', field: ['change', 'poolUpdate'] }]);
  expect(await counted()).toEqual(rows);
});
