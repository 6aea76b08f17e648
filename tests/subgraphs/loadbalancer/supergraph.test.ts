// Load balancers through the gateway: joined to projects, CMP objects and `node`, followed with filters, and within the
// cost limits.
import { expect, test } from '@jest/globals';
import { createClient } from 'graphql-ws';
import { WebSocket } from 'ws';
import { forFile } from '../../support/jest/shared.ts';
import { runningSystem } from '../../support/product/running-system.ts';
import { tree } from './support/balancer-graph.ts';

const system = forFile(() => runningSystem());

interface Answer<Data> {
  readonly data: Data;
  readonly errors?: readonly { readonly extensions?: { readonly code?: string } }[];
}

async function send<Data>(query: string, variables: object = {}): Promise<Answer<Data>> {
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${system.token}` };
  const response = await fetch(system.url, { method: 'POST', headers, body: JSON.stringify({ query, variables }) });
  return (await response.json()) as Answer<Data>;
}

async function ask<Data>(query: string, variables: object = {}): Promise<Data> {
  const { data, errors } = await send<Data>(query, variables);
  expect(errors).toBeUndefined();
  return data;
}

async function create(name: string): Promise<string> {
  const { made } = await ask<{ made: { loadBalancer: { id: string } | null; userErrors: readonly object[] } }>(
    ...([
      `mutation ($input: LoadBalancerCreateInput!) { made: loadBalancerCreate(input: $input) {
        loadBalancer { id } userErrors { code message } } }`,
    ] as const),
    { input: { ...tree(name), cmpObject: { type: 'tenant', externalId: '42' } } },
  );
  expect(made.userErrors).toEqual([]);
  return made.loadBalancer?.id ?? '';
}

test('a load balancer is found on its project, its CMP object, and by its ID', async () => {
  const id = await create('joined');
  const nodes = { nodes: [{ id, name: 'joined', urls: ['http://joined.default.lb.internal/'] }] };
  const own = 'loadBalancers { nodes { id name urls } }';
  const seen = await ask<{
    projects: { nodes: readonly object[] };
    cmpObject: object;
    node: object;
    loadBalancer: object;
  }>(
    `query ($id: ID!) { projects { nodes { name ${own} } } cmpObject(type: "tenant", externalId: "42") { externalId ${own} mappings { nodes { id } } }
      node(id: $id) { id ... on LoadBalancer { name } } loadBalancer(id: $id) { project { name } cmpObject { type externalId } } }`,
    { id },
  );
  expect(seen.projects.nodes).toEqual([{ name: 'default', loadBalancers: nodes }]);
  expect(seen.cmpObject).toEqual({ externalId: '42', loadBalancers: nodes, mappings: { nodes: [] } });
  expect(seen.node).toEqual({ id, name: 'joined' });
  expect(seen.loadBalancer).toEqual({
    project: { name: 'default' },
    cmpObject: { type: 'tenant', externalId: '42' },
  });
});

test('the whole status tree is within the limits; requests for full pages of everything are refused before any read', async () => {
  const id = await create('measured');
  const status = 'id provisioningStatus operatingStatus operatingReason';
  const whole = `{ ${status} listeners { ${status} l7Policies { ${status} l7Rules { ${status} } } }
    pools { ${status} healthMonitor { ${status} } members(first: 100) { nodes { ${status} } } } }`;
  const { loadBalancer } = await ask<{ loadBalancer: { listeners: readonly object[] } }>(
    ...([`query ($id: ID!) { loadBalancer(id: $id) ${whole} }`, { id }] as const),
  );
  expect(loadBalancer.listeners).toHaveLength(1);
  const { errors } = await send(
    `{ loadBalancers(first: 100) { nodes { subnet { loadBalancers(first: 100) { nodes { pools { members(first: 100) { nodes { id } } } } } } } } }`,
  );
  expect(errors?.map(({ extensions }) => extensions?.code)).toEqual(['LIMIT_EXCEEDED']);
});

test('changes of one project are followed through the gateway', async () => {
  const { projects, statusCursor } = await ask<{ projects: { nodes: { id: string }[] }; statusCursor: string }>(
    '{ projects { nodes { id } } statusCursor }',
  );
  const connectionParams = { authorization: `Bearer ${system.token}` };
  const client = createClient({ url: system.url.replace('http', 'ws'), webSocketImpl: WebSocket, connectionParams });
  const id = await create('followed');
  const query = `subscription ($projectId: ID, $after: String) {
    loadBalancerChanges(projectId: $projectId, after: $after) { cursor loadBalancer { id name provisioningStatus } } }`;
  const variables = { projectId: projects.nodes[0]?.id, after: statusCursor };
  for await (const item of client.iterate<{ loadBalancerChanges: { loadBalancer: { id: string } | null } }>({
    query,
    variables,
  })) {
    expect(item.errors).toBeUndefined();
    const changed = item.data?.loadBalancerChanges.loadBalancer;
    // Events of earlier tests may come first.
    if (changed?.id !== id) continue;
    expect(changed).toEqual({ id, name: 'followed', provisioningStatus: 'PENDING' });
    break;
  }
  await client.dispose();
});

test('everything about a CMP object is one stream and one history, even after its deletion', async () => {
  const socket = createClient({
    ...{ url: system.url.replace('http', 'ws'), webSocketImpl: WebSocket, retryAttempts: 0 },
    connectionParams: { authorization: `Bearer ${system.token}` },
  });
  const query = `subscription ($cmpObject: CmpObjectInput, $types: [String!]) {
    statusChanges(cmpObject: $cmpObject, subjectTypes: $types) { change { to subject { id } cmpObject { externalId } } } }`;
  const follow = (externalId: string, types?: readonly string[]) =>
    socket.iterate({ query, variables: { cmpObject: { type: 'tenant', externalId }, types } });
  const [followed, typed, others] = [follow('followed'), follow('followed', ['LoadBalancer']), follow('other')];
  for (const each of [followed, typed, others])
    expect((await each.next()).value).toMatchObject({ data: { statusChanges: { change: null } } });
  const make = (externalId: string) =>
    ask<{ made: { loadBalancer: { id: string } } }>(
      'mutation ($input: LoadBalancerCreateInput!) { made: loadBalancerCreate(input: $input) { loadBalancer { id } } }',
      { input: { ...tree(`of-${externalId}`), cmpObject: { type: 'tenant', externalId } } },
    );
  const { id } = (await make('followed')).made.loadBalancer;
  await make('unrelated');
  await ask('mutation ($id: ID!) { loadBalancerDelete(input: { id: $id }) { userErrors { code } } }', { id });
  const { id: otherId } = (await make('other')).made.loadBalancer;
  const told = (to: string, subject: string, externalId: string) => ({
    to,
    subject: { id: subject },
    cmpObject: { externalId },
  });
  const wanted = [told('PENDING', id, 'followed'), told('DELETING', id, 'followed')];
  for (const stream of [followed, typed])
    for (const change of wanted) expect((await stream.next()).value).toEqual({ data: { statusChanges: { change } } });
  expect((await others.next()).value).toEqual({
    data: { statusChanges: { change: told('PENDING', otherId, 'other') } },
  });
  await socket.dispose();
  const { statusHistory } = await ask<{ statusHistory: object }>(
    `{ statusHistory(cmpObject: { type: "tenant", externalId: "followed" }, orderBy: OLDEST) {
      totalCount nodes { to subject { id } cmpObject { externalId } } } }`,
  );
  expect(statusHistory).toEqual({ totalCount: 2, nodes: wanted });
});
