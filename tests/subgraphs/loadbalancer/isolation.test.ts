// Another project's objects do not exist: on every root field and every entity of the load balancer's SDL. A new field without a case here
// fails the first test.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type ExecutionResult, parse, subscribe } from 'graphql';
import type { Identity } from '../../../platform/caller/identity.ts';
import { makeCertificate } from '../../../platform/net/certificates.ts';
import { encodeCmpObject } from '../../../platform/pages/cmp-object.ts';
import { decodeUuid, encodeId, newUuid } from '../../../platform/values/ids.ts';
import { insertNode } from '../../../subgraphs/loadbalancer/control/nodes/node-store.ts';
import { partNames } from '../../../subgraphs/loadbalancer/spec/part-kind.ts';
import {
  BalancerGraph,
  type Ids,
  type Input,
  identity,
  makeTree,
  projectA,
  projectB,
  projectId,
} from './support/balancer-graph.ts';

const owner = identity('MEMBER', projectA);
const stranger = identity('OPERATOR', projectB);
const cmp = { namespace: 'default', type: 'tenant', externalId: 'shared-name' };
const lower = (name: string) => `${name.charAt(0).toLowerCase()}${name.slice(1)}`;

let graph: BalancerGraph;
let ids: Ids & { certificate: string; node: string; host: string; cmpBalancer: string };
let keys: { readonly cert: string; readonly key: string };

beforeAll(async () => {
  graph = await BalancerGraph.open();
  keys = await makeCertificate({ commonName: 'secret.example.com' });
  const made = await makeTree(graph, 'secret', owner);
  const stored = await graph.make(
    'tlsCertificateCreate',
    { name: 'secret', chain: keys.cert, privateKey: keys.key },
    'tlsCertificate { id }',
    owner,
  );
  const ofCmp = await graph.make(
    ...([
      'loadBalancerCreate',
      { name: 'secret-cmp', tags: ['secret'], cmpObject: cmp },
      'loadBalancer { id }',
    ] as const),
    owner,
  );
  await graph.mutate('poolMemberUpdate', { id: made.poolMember, name: 'secret' }, owner);
  await graph.mutate('listenerUpdate', { id: made.listener, name: 'secret' }, owner);
  await graph.mutate('poolHealthMonitorUpdate', { id: made.poolHealthMonitor, name: 'secret' }, owner);
  await graph.mutate('l7PolicyUpdate', { id: made.l7Policy, name: 'secret' }, owner);
  await graph.mutate('l7RuleUpdate', { id: made.l7Rule, value: '/secret' }, owner);
  await graph.mutate('poolUpdate', { id: made.pool, description: 'secret' }, owner);
  await graph.db.execute("UPDATE lb_load_balancer SET operating_status = 'ERROR'");
  const node = await addNode('secret-node');
  const host = encodeId('LoadBalancerHost', newUuid());
  ids = { ...made, certificate: stored.id, node, host, cmpBalancer: ofCmp.id };

  async function addNode(name: string): Promise<string> {
    const id = newUuid();
    const owned = { projectId: projectA, loadBalancerId: decodeUuid('LoadBalancer', made.loadBalancer) ?? '' };
    const addresses = { address: '192.0.2.77', managementAddress: '192.0.2.77', hostId: null };
    await graph.db.transaction((tx) =>
      insertNode(tx, graph.wake, { ...owned, ...addresses, id, name, connections: 100, threads: 1 }),
    );
    return encodeId('LoadBalancerNode', id);
  }
});
afterAll(async () => graph.stop());

interface Probe {
  readonly text: string;
  readonly variables?: () => Record<string, unknown>;
  /** The answer that the stranger gets instead of the objects; default: none of them. */
  readonly other?: RegExp;
}

const byId = (field: string, type: string, shown: string): Probe => ({
  text: `query ($id: ID!) { ${field}(id: $id) { id ${shown} } }`,
  variables: () => ({ id: idOf(type) }),
});
const idOf = (type: string): string =>
  ({ TlsCertificate: ids.certificate, ProjectSubnet: ids.subnet, LoadBalancerNode: ids.node })[type] ??
  ids[lower(type) as keyof Ids];

const shownOf: Readonly<Record<string, string>> = {
  LoadBalancer: 'name',
  Pool: 'description',
  L7Rule: 'value',
  TlsCertificate: 'chain name',
  ProjectSubnet: 'loadBalancers { nodes { name } }',
};
const types = ['LoadBalancer', ...partNames, 'TlsCertificate', 'ProjectSubnet', 'LoadBalancerNode'];
const shown = (type: string) => shownOf[type] ?? 'name';

const pages = (field: string, selection: string): Probe => ({
  text: `query ($p: ID) { all: ${field} { nodes { ${selection} } } theirs: ${field}(projectId: $p) { nodes { ${selection} } } }`,
  variables: () => ({ p: projectId(projectA) }),
});

const queries: Readonly<Record<string, Probe>> = {
  ...Object.fromEntries(types.map((type) => [lower(type), byId(lower(type), type, shown(type))])),
  loadBalancers: {
    text: `query ($p: ID) { all: loadBalancers { nodes { id name } } theirs: loadBalancers(projectId: $p) { nodes { id name } }
      named: loadBalancers(names: ["secret"]) { nodes { id name } } tagged: loadBalancers(tag: "secret") { nodes { id name } } }`,
    variables: () => ({ p: projectId(projectA) }),
  },
  // By a node's address; members are found in the same rows.
  loadBalancersAt: {
    text: 'query { node: loadBalancersAt(address: "192.0.2.77") { id name } all: loadBalancersAt(address: "192.", limit: 50) { id name } }',
  },
  projectSubnets: pages('projectSubnets', 'id loadBalancers { nodes { name } }'),
  tlsCertificates: pages('tlsCertificates', 'id name'),
  loadBalancerPreview: {
    text: `query ($id: ID!, $change: LoadBalancerChangeInput!) { loadBalancerPreview(id: $id, change: $change) { configuration } }`,
    variables: () => ({ id: ids.loadBalancer, change: { l7RuleUpdate: { id: ids.l7Rule, value: '/secret-2' } } }),
  },
  loadBalancerQuotas: {
    text: 'query ($p: ID) { loadBalancerQuotas(projectId: $p) { kind used } }',
    variables: () => ({ p: projectId(projectA) }),
  },
};

/** Only for administrators: others get an error, or null. */
const ofAdministrators: Readonly<Record<string, Probe>> = {
  loadBalancerHost: {
    text: 'query ($id: ID!) { loadBalancerHost(id: $id) { name } }',
    variables: () => ({ id: ids.host }),
  },
  loadBalancerHosts: { text: '{ loadBalancerHosts { nodes { name } } }' },
};

const mutations: Readonly<Record<string, () => Input>> = {
  loadBalancerCreate: () => ({ projectId: projectId(projectA), name: 'x' }),
  loadBalancerUpdate: () => ({ id: ids.loadBalancer, description: 'x' }),
  loadBalancerDelete: () => ({ id: ids.loadBalancer }),
  loadBalancerQuotaSet: () => ({ projectId: projectId(projectA), kind: 'POOLS', limit: 1 }),
  loadBalancerHostCordonSet: () => ({ id: ids.host }),
  loadBalancerHostCordonLift: () => ({ id: ids.host }),
  loadBalancerHostUpdate: () => ({ id: ids.host, maxNodes: 1 }),
  loadBalancerHostDelete: () => ({ id: ids.host }),
  loadBalancerNodesReplace: () => ({ id: ids.loadBalancer }),
  loadBalancerNodeReplace: () => ({ id: ids.node }),
  autoscalingPolicySet: () => ({ loadBalancerId: ids.loadBalancer, policy: {} }),
  autoscalingPolicyDelete: () => ({ loadBalancerId: ids.loadBalancer }),
  projectSubnetCreate: () => ({ projectId: projectId(projectA), name: 'x', cidr: '10.1.0.0/24' }),
  projectSubnetUpdate: () => ({ id: ids.subnet, name: 'x' }),
  projectSubnetDelete: () => ({ id: ids.subnet }),
  tlsCertificateCreate: () => ({ projectId: projectId(projectA), name: 'x', chain: keys.cert, privateKey: keys.key }),
  tlsCertificateUpdate: () => ({ id: ids.certificate, chain: keys.cert, privateKey: keys.key }),
  tlsCertificateDelete: () => ({ id: ids.certificate }),
  poolMembersSet: () => ({ id: ids.pool, members: [] }),
  poolMemberDrain: () => ({ id: ids.poolMember }),
  poolMemberDrainCancel: () => ({ id: ids.poolMember }),
  poolCreate: () => ({ loadBalancerId: ids.loadBalancer, memberProtocol: 'HTTP' }),
  poolMemberCreate: () => ({ poolId: ids.pool, host: '192.0.2.1', port: 1 }),
  poolHealthMonitorCreate: () => ({ poolId: ids.rawPool, monitorType: 'TCP' }),
  listenerCreate: () => ({ loadBalancerId: ids.loadBalancer, protocol: 'HTTP', port: 1 }),
  l7PolicyCreate: () => ({ listenerId: ids.listener, action: 'REJECT' }),
  l7RuleCreate: () => ({ l7PolicyId: ids.l7Policy, ruleType: 'PATH', compareType: 'EQUAL_TO', value: '/' }),
  ...Object.fromEntries(
    partNames.flatMap((name) =>
      ['Update', 'Delete'].map((verb) => [`${lower(name)}${verb}`, () => ({ id: idOf(name), expectedVersion: 9 })]),
    ),
  ),
};

const subscriptions: Readonly<Record<string, string>> = {
  loadBalancerChanges: 'loadBalancerChanges(after: $after) { cursor loadBalancer { id name } }',
  loadBalancerNodeChanges: 'loadBalancerNodeChanges(after: $after) { cursor loadBalancerNode { id name } }',
};

const entities: Readonly<Record<string, string>> = {
  ...Object.fromEntries(types.map((type) => [type, `id ${shown(type)}`])),
  Project: 'loadBalancers { nodes { name } }',
  CmpObject: 'loadBalancers { nodes { name } }',
  Attention: 'loadBalancing { totalCount needs { subjectName subjectId reason } }',
  LoadBalancerHost: 'name',
  AutoscalingPolicy: 'id',
};
const entityId = (type: string): string =>
  ({
    Project: projectId(projectA),
    CmpObject: encodeCmpObject(cmp),
    Attention: 'now',
    LoadBalancerHost: ids.host,
    AutoscalingPolicy: encodeId('AutoscalingPolicy', decodeUuid('LoadBalancer', ids.loadBalancer) ?? ''),
  })[type] ?? idOf(type);

const asked = async (who: Identity | null, { text, variables }: Probe) =>
  JSON.stringify(await graph.run(who, text, variables?.()));
const askedEntity = async (who: Identity | null, type: string) =>
  JSON.stringify(
    await graph.run(
      ...([
        who,
        `query ($r: [_Any!]!) { _entities(representations: $r) { ... on ${type} { ${entities[type]} } } }`,
      ] as const),
      { r: [{ __typename: type, id: entityId(type) }] },
    ),
  );
const secrets = () => ['secret', ...Object.values(ids).filter((id) => id !== ids.host && id !== '')];

test('every root field and every entity has its case', () => {
  const { schema } = graph;
  const names = (type: ReturnType<typeof schema.getQueryType>) => Object.keys(type?.getFields() ?? {});
  const own = names(schema.getQueryType()).filter((name) => !name.startsWith('_'));
  expect([...Object.keys(queries), ...Object.keys(ofAdministrators)].sort()).toEqual(own.sort());
  expect(Object.keys(mutations).sort()).toEqual(names(schema.getMutationType()).sort());
  expect(Object.keys(subscriptions).sort()).toEqual(names(schema.getSubscriptionType()).sort());
  const union = schema.getType('_Entity') as { getTypes(): readonly { name: string }[] };
  expect(Object.keys(entities).sort()).toEqual(
    union
      .getTypes()
      .map(({ name }) => name)
      .sort(),
  );
});

describe.each([
  ['a stranger', stranger],
  ['a user without projects', { ...stranger, projects: {} }],
  ['nobody', null],
] as const)('%s', (_who, who) => {
  const tables = ['lb_load_balancer', 'lb_part', 'lb_subnet', 'lb_certificate', 'lb_quota'];
  const everything = () => Promise.all(tables.map((table) => graph.db.query(`SELECT * FROM ${table} ORDER BY 1, 2`)));

  test.each(Object.entries({ ...queries, ...ofAdministrators }))('reads nothing with %s', async (_name, probe) => {
    const answer = await asked(who, probe);
    for (const secret of secrets()) expect(answer.replaceAll(/"message":"[^"]*"/g, '')).not.toContain(secret);
    expect(answer).not.toMatch(/"used":[1-9]/);
  });

  test.each(Object.entries(mutations))('changes nothing with %s', async (name, input) => {
    const before = await everything();
    const asking = graph.mutate(name, { idempotencyKey: `${who?.id}-${name}`, ...input() }, who);
    const answer = await asking.then(({ faults }) => faults.join(), String);
    // Hosts belong to no project: others than administrators are refused before one is looked for.
    expect(answer).toMatch(
      name.startsWith('loadBalancerHost') ? /FORBIDDEN|UNAUTHENTICATED/ : /NOT_FOUND|PROJECT_REQUIRED|UNAUTHENTICATED/,
    );
    expect(await everything()).toEqual(before);
  });

  test.each(Object.keys(entities))('reads nothing as entity %s', async (type) => {
    const answer = await askedEntity(who, type);
    for (const secret of secrets()) expect(answer).not.toContain(secret);
  });
});

test('the owner reads all of it, which shows that the cases above can fail', async () => {
  for (const [name, probe] of Object.entries(queries))
    expect(`${name} ${await asked(owner, probe)}`).toMatch(/ .*(secret|"used":[1-9])/);
  for (const type of Object.keys(entities).filter((each) => !['LoadBalancerHost', 'AutoscalingPolicy'].includes(each)))
    expect(`${type} ${await askedEntity(owner, type)}`).toMatch(/ .*secret/);
});

test.each(Object.entries(subscriptions))('%s shows each caller only their own', async (name, selection) => {
  const after = await graph.feed.currentCursor();
  await graph.mutate('loadBalancerUpdate', { id: ids.loadBalancer, description: name }, owner);
  const nodeOf = async (project: string, balancer: string, node: string) => {
    const owned = { projectId: project, loadBalancerId: decodeUuid('LoadBalancer', balancer) ?? '' };
    const addresses = { address: null, managementAddress: null, hostId: null };
    await graph.db.transaction((tx) =>
      insertNode(tx, graph.wake, { ...owned, ...addresses, id: newUuid(), name: node, connections: 100, threads: 1 }),
    );
  };
  await nodeOf(projectA, ids.loadBalancer, `secret-${name}`);
  // An event of the stranger's own ends their stream.
  const { loadBalancer } = await makeTree(graph, `own-${lower(name).slice(0, 20).toLowerCase()}`, stranger);
  await nodeOf(projectB, loadBalancer, `own-${name}`);
  const follow = async (who: Identity, until: RegExp) => {
    const contextValue = { identity: who, requestId: 'r', loaders: new Map() };
    const text = `subscription ($after: String) { ${selection} }`;
    const args = { schema: graph.schema, document: parse(text), variableValues: { after }, contextValue };
    const items: string[] = [];
    for await (const item of (await subscribe(args)) as AsyncGenerator<ExecutionResult>) {
      items.push(JSON.stringify(item));
      if (until.test(items.at(-1) ?? '')) break;
    }
    return items;
  };
  for (const item of await follow(stranger, /own-/)) expect(item).not.toContain('secret');
  expect((await follow(owner, /secret/)).length).toBeGreaterThan(0);
});
