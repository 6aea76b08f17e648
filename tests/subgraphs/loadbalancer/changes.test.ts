// Changes of load balancers. Quotas hold under parallel requests, changes do not refuse each other, a deletion leaves
// nothing unneeded, and the preview reports the effects of a change.
import { expect, test } from '@jest/globals';
import { type ExecutionResult, parse, subscribe } from 'graphql';
import { makeCertificate } from '../../../platform/net/certificates.ts';
import { decodeUuid } from '../../../platform/values/ids.ts';
import { dnsNames } from '../../../subgraphs/loadbalancer/control/balancers/dns-names.ts';
import { reconcile } from '../../../subgraphs/loadbalancer/control/reconcile/reconcile-queue.ts';
import { forFile } from '../../support/jest/shared.ts';
import {
  BalancerGraph,
  type Fault,
  identity,
  makeTree,
  projectA,
  projectB,
  projectId,
} from './support/balancer-graph.ts';

const graph = forFile(() => BalancerGraph.open());
const member = identity('MEMBER');

test('a load balancer is created with its whole tree in one mutation, and read in one query', async () => {
  const ids = await makeTree(graph, 'whole');
  const { loadBalancer } = await graph.ask<{ loadBalancer: object }>(
    member,
    `query ($id: ID!) { loadBalancer(id: $id) { name fqdn urls provisioningStatus operatingStatus operatingReason generation wantedNodes
      project { id } subnet { name cidr provisioningStatus loadBalancers { nodes { name } } }
      listeners { port operatingStatus defaultPool { name } l7Policies { action position l7Rules { value provisioningStatus } } }
      pools { name operatingStatus operatingReason healthMonitor { monitorType path intervalMs } members { nodes { host port weight operatingStatus drainUntil } } } } }`,
    { id: ids.loadBalancer },
  );
  expect(loadBalancer).toMatchObject({
    ...{ name: 'whole', fqdn: 'whole.alpha.lb.test', urls: ['http://whole.alpha.lb.test/'], generation: 1 },
    ...{ provisioningStatus: 'PENDING', operatingStatus: 'UNKNOWN', wantedNodes: 2 },
    operatingReason: 'none of its nodes has served yet',
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
        ...{
          name: 'web',
          operatingStatus: 'UNKNOWN',
          healthMonitor: { monitorType: 'HTTP', path: null, intervalMs: 2000 },
        },
        members: { nodes: [{ host: '192.0.2.10', port: 80, weight: 1, operatingStatus: 'UNKNOWN', drainUntil: null }] },
      },
      { name: 'raw', operatingStatus: 'ERROR', operatingReason: 'no member takes requests' },
    ],
  });
});

test('the first load balancers of a project may be created at the same time, and one of them creates its subnet', async () => {
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
      graph.mutate('poolMemberCreate', { poolId: pool, host: '192.0.2.20', port: 1000 + at }),
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

test('none of two hundred concurrent changes is refused: each has its generation, and the feed has them all', async () => {
  const { loadBalancer, pool } = await makeTree(graph, 'busy');
  const after = await graph.feed.currentCursor();
  const made = await Promise.all(
    Array.from({ length: 200 }, (_, at) =>
      graph.mutate('poolMemberCreate', { poolId: pool, host: '192.0.2.30', port: 1000 + at }),
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
  // The other hundred follow from the cursor of the hundredth.
  const { cursor } = (JSON.parse(own[99] ?? '') as { loadBalancerChanges: { cursor: string } }).loadBalancerChanges;
  const rest = await follow(
    text,
    { after: cursor },
    (items) => items.filter((item) => item.includes(loadBalancer)).length === 100,
  );
  expect(rest.filter((item) => item.includes(loadBalancer))).toHaveLength(100);
}, 60_000);

test('a member is drained until a deadline, and then gets sessions again', async () => {
  const { poolMember: id } = await makeTree(graph, 'drained');
  const make = (mutation: string, input: object) =>
    graph.make<{ operatingStatus: string; drainUntil: string | null; sessions: number | null }>(
      ...([mutation, { id, ...input }, 'poolMember { operatingStatus drainUntil sessions }'] as const),
    );
  const { operatingStatus, drainUntil } = await make('poolMemberDrain', { deadlineMs: 60_000 });
  expect(operatingStatus).toBe('DRAINING');
  expect(new Date(drainUntil ?? 0).getTime()).toBeGreaterThan(Date.now());
  expect(await make('poolMemberDrainCancel', {})).toEqual({
    ...{ operatingStatus: 'UNKNOWN', drainUntil: null, sessions: null },
  });
});

test('a pool gets exactly the members of the list', async () => {
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

test('everything in a deleted load balancer is deleted with it, and its addresses and names are free at once', async () => {
  const ids = await makeTree(graph, 'gone');
  const uuid = decodeUuid('LoadBalancer', ids.loadBalancer) ?? '';
  expect((await graph.mutate('loadBalancerDelete', { id: ids.loadBalancer })).faults).toEqual([]);
  // A second deletion, and a change of a load balancer that is being deleted.
  expect((await graph.mutate('loadBalancerDelete', { id: ids.loadBalancer })).faults).toEqual([]);
  expect((await graph.mutate('poolMemberUpdate', { id: ids.poolMember, weight: 2 })).faults).toEqual([
    'NOT_FOUND input.id',
  ]);
  const { db, wake } = graph;
  await db.transaction((tx) =>
    reconcile(tx, { db, wake, names: dnsNames({ wake, ttlSeconds: 5, nameRestMs: 86_400_000 }) }, uuid),
  );
  const left = async (table: string, where: string) =>
    Number((await graph.db.query<{ n: number }>(`SELECT COUNT(*) AS n FROM ${table} WHERE ${where}`, [uuid]))[0]?.n);
  expect(await left('lb_part', 'load_balancer_id = ? AND deleted = 0')).toBe(0);
  expect(await left('lb_reference', 'part_id IN (SELECT id FROM lb_part WHERE load_balancer_id = ?)')).toBe(0);
  expect((await graph.mutate('loadBalancerDelete', { id: ids.loadBalancer })).faults).toEqual(['NOT_FOUND input.id']);
  await makeTree(graph, 'gone');
});

interface Preview {
  readonly configuration: string;
  readonly commands: readonly string[];
  readonly reloads: boolean;
  readonly reloadReason: string | null;
  readonly replacesNodes: boolean;
  readonly wantedNodes: number;
  readonly userErrors: readonly Fault[];
}

async function previewOf(loadBalancer: string, change: object, who = member): Promise<Preview> {
  const { made } = await graph.ask<{ made: Preview }>(
    who,
    `query ($id: ID!, $change: LoadBalancerChangeInput!) { made: loadBalancerPreview(id: $id, change: $change) {
      configuration commands reloads reloadReason replacesNodes wantedNodes userErrors { code field message } } }`,
    { id: loadBalancer, change },
  );
  return made;
}

test('the preview reports the effects of a change on HAProxy, and changes nothing', async () => {
  const { loadBalancer, pool, listener } = await makeTree(graph, 'preview');
  const other = await makeTree(graph, 'preview-other');
  const preview = (change: object) => previewOf(loadBalancer, change);
  const counted = async () =>
    graph.db.query(
      'SELECT (SELECT COUNT(*) FROM lb_part) AS parts, (SELECT COUNT(*) FROM audit_entry) AS audited, (SELECT COUNT(*) FROM status_change) AS events, (SELECT SUM(generation) FROM lb_load_balancer) AS generations',
    );
  const rows = await counted();
  const added = await preview({ poolMemberCreate: { poolId: pool, host: '192.0.2.44', port: 8080 } });
  expect(added).toMatchObject({ reloads: false, reloadReason: null, userErrors: [] });
  expect(added.commands[0]).toMatch(/^add server p_[0-9a-f-]+\/m_[0-9a-f-]+ 192\.0\.2\.44:8080 /);
  expect(added.configuration).toMatch(/^\+ {2}server m_\S+ 192\.0\.2\.44:8080/m);
  const port = await preview({ listenerUpdate: { id: listener, connectionLimit: 10 } });
  expect(port).toMatchObject({ commands: [], reloads: true });
  expect(port.configuration).toMatch(/^\+ {2}maxconn 10$/m);
  const refused = await preview({ poolMemberCreate: { poolId: pool, host: '192.0.2.10', port: 80 } });
  expect(refused.userErrors).toMatchObject([{ code: 'ALREADY_EXISTS', field: ['change', 'poolMemberCreate', 'host'] }]);
  const several = { poolMemberCreate: { poolId: pool, host: 'x', port: 1 }, poolDelete: { id: pool } };
  for (const change of [several, {}, { poolDelete: null }])
    await expect(preview(change)).rejects.toThrow(/OneOf type|must be non-null/);
  const foreign = await preview({ poolUpdate: { id: other.pool, drainMs: 5 } });
  expect(foreign.userErrors).toMatchObject([{ code: 'NOT_FOUND', field: ['change', 'poolUpdate'] }]);
  expect(await counted()).toEqual(rows);
});

test('an update of every kind can be previewed, also of the load balancer and of its certificates', async () => {
  const {
    loadBalancer,
    pool,
    poolMember: server,
    poolHealthMonitor: healthMonitor,
    listener,
    l7Policy,
    l7Rule,
  } = await makeTree(graph, 'kinds');
  const other = await makeTree(graph, 'kinds-other');
  const [one, two] = [await makeCertificate({ commonName: 'a.test' }), await makeCertificate({ commonName: 'b.test' })];
  const stored = { name: 'kinds', chain: one.cert, privateKey: one.key };
  const { id: certificate } = await graph.make('tlsCertificateCreate', stored, 'tlsCertificate { id }');
  const secure = {
    loadBalancerId: loadBalancer,
    protocol: 'TERMINATED_HTTPS',
    port: 443,
    certificateIds: [certificate],
  };
  await graph.make('listenerCreate', secure, 'listener { id }');
  const rows = async () =>
    graph.db.query(
      `SELECT (SELECT SUM(version) FROM lb_part) AS parts, (SELECT SUM(version) FROM lb_load_balancer) AS balancers,
        (SELECT SUM(version) FROM lb_certificate) AS certificates, (SELECT COUNT(*) FROM audit_entry) AS audited`,
    );
  const before = await rows();
  const renewed = { chain: two.cert, privateKey: two.key };
  const stays = { reloads: false, replacesNodes: false, wantedNodes: 2, userErrors: [] };
  const reloads = { ...stays, reloads: true, commands: [], reloadReason: expect.stringContaining('changed') };
  const differs = { userErrors: [], configuration: expect.stringMatching(/^[+-].*\S/m) };
  const cases: readonly (readonly [object, object])[] = [
    [{ listenerUpdate: { id: listener, connectionLimit: 10 } }, reloads],
    [{ poolUpdate: { id: pool, algorithm: 'LEAST_CONNECTIONS' } }, reloads],
    [
      { poolMemberUpdate: { id: server, weight: 7 } },
      { ...stays, commands: [expect.stringMatching(/^set server \S+ weight 7$/)] },
    ],
    [{ poolHealthMonitorUpdate: { id: healthMonitor, path: '/alive' } }, reloads],
    [{ l7PolicyUpdate: { id: l7Policy, enabled: false } }, differs],
    [{ l7RuleUpdate: { id: l7Rule, value: '/hidden' } }, differs],
    [
      { tlsCertificateUpdate: { id: certificate, ...renewed } },
      { ...stays, commands: expect.arrayContaining([expect.stringMatching(/^commit ssl cert /)]) },
    ],
    [
      { loadBalancerUpdate: { id: loadBalancer, minNodes: 3 } },
      { ...stays, wantedNodes: 3, configuration: '', commands: [] },
    ],
    [
      { loadBalancerUpdate: { id: loadBalancer, nodeSize: { connections: 700 } } },
      { ...stays, replacesNodes: true, configuration: expect.stringMatching(/^\+ {2}maxconn 700$/m), commands: [] },
    ],
    [
      { autoscalingPolicySet: { loadBalancerId: loadBalancer, policy: { requestsPerNode: 9 } } },
      { ...stays, configuration: '', commands: [] },
    ],
    [{ poolHealthMonitorDelete: { id: healthMonitor } }, reloads],
    [{ poolMemberDrain: { id: server } }, differs],
    [{ poolMemberDelete: { id: server } }, differs],
    [
      { loadBalancerDelete: { id: loadBalancer } },
      { ...stays, wantedNodes: 0, commands: [], configuration: expect.stringMatching(/^- {2}maxconn /m) },
    ],
  ];
  for (const [change, told] of cases) {
    expect([change, await previewOf(loadBalancer, change)]).toEqual([change, expect.objectContaining(told)]);
  }
  const faults = async (change: object, who = member) =>
    (await previewOf(loadBalancer, change, who)).userErrors.map(({ code, field }) => `${code} ${field.join('.')}`);
  const update = (input: object) => ({ loadBalancerUpdate: { id: loadBalancer, ...input } });
  expect(await faults(update({ minNodes: 0 }))).toEqual(['INVALID_INPUT change.loadBalancerUpdate.minNodes']);
  expect(await faults(update({ maxNodes: 1 }))).toEqual(['INVALID_INPUT change.loadBalancerUpdate.maxNodes']);
  expect(await faults({ loadBalancerUpdate: { id: other.loadBalancer, enabled: false } })).toEqual([
    'NOT_FOUND change.loadBalancerUpdate',
  ]);
  expect(await faults({ loadBalancerDelete: { id: other.loadBalancer } })).toEqual([
    'NOT_FOUND change.loadBalancerDelete',
  ]);
  expect(await faults({ loadBalancerDelete: { id: loadBalancer, expectedVersion: 99 } })).toEqual([
    'STALE_VERSION change.loadBalancerDelete.expectedVersion',
  ]);
  const policy = { loadBalancerId: loadBalancer, policy: { targetPercent: 9 } };
  expect(await faults({ autoscalingPolicySet: policy })).toEqual([
    'INVALID_INPUT change.autoscalingPolicySet.policy.targetPercent',
  ]);
  const mixed = { id: certificate, chain: two.cert, privateKey: one.key };
  expect((await faults({ tlsCertificateUpdate: mixed }))[0]).toContain('change.tlsCertificateUpdate.');
  expect(await faults(update({ minNodes: 3 }), identity('VIEWER'))).toEqual(['FORBIDDEN ']);
  expect(await rows()).toEqual(before);
});

test('setting an autoscaling policy to its current value begins no generation', async () => {
  const { loadBalancer } = await makeTree(graph, 'scaled');
  const set = async (policy: object) => {
    const { faults } = await graph.mutate('autoscalingPolicySet', { loadBalancerId: loadBalancer, policy }, member);
    const text = '{ loadBalancer(id: $id) { generation autoscaling { version } } }';
    return { faults, ...(await graph.ask<object>(member, `query ($id: ID!) ${text}`, { id: loadBalancer })) };
  };
  const days = [5, 1];
  const policy = { requestsPerNode: 9, schedule: [{ days, from: '08:00', to: '18:00', minNodes: 2, maxNodes: 4 }] };
  const first = await set(policy);
  expect(first).toMatchObject({ faults: [], loadBalancer: { generation: 2, autoscaling: { version: 1 } } });
  expect(await set({ ...policy, targetPercent: null })).toEqual(first);
  const changed = { generation: 3, autoscaling: { version: 2 } };
  expect(await set({ ...policy, requestsPerNode: 10 })).toMatchObject({ loadBalancer: changed });
});

test('a load balancer has no name if its project may not create one', async () => {
  const rules = (given: readonly object[]) =>
    graph.db.execute("UPDATE dns_zone SET rules = ? WHERE name = 'lb.test'", [JSON.stringify(given)]);
  expect((await graph.mutate('loadBalancerCreate', { name: 'before-rules' }, member)).faults).toEqual([]);
  const create = async (name: string) => (await graph.mutate('loadBalancerCreate', { name }, member)).faults;
  await rules([{ suffix: 'lb.test', projectIds: [projectB] }]);
  expect(await create('ruled')).toEqual(['FORBIDDEN input.name']);
  await rules([
    { suffix: 'lb.test', projectIds: [projectB] },
    { suffix: 'alpha.lb.test', projectIds: [projectA] },
  ]);
  expect(await create('ruled')).toEqual([]);
  await rules([]);
});
