// Another project's objects do not exist: on every root field of GSLB's SDL. A new field without a case here fails the first test.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { GraphQLObjectType } from 'graphql';
import { encodeId, newUuid } from '../../../../../platform/values/ids.ts';
import { planNames } from '../../../../../subgraphs/gslb/control/plans/planning.ts';
import {
  GslbGraph,
  type Input,
  identity,
  makeWorld,
  projectA,
  projectB,
  type World,
} from '../../support/gslb-graph.ts';

let graph: GslbGraph;
let world: World;
const owner = identity('OPERATOR');
const stranger = identity('OPERATOR', projectB);

beforeAll(async () => {
  graph = await GslbGraph.open();
  world = await makeWorld(graph, owner);
});
afterAll(async () => graph.stop());

const objects = {
  gslb: 'Gslb',
  gslbPool: 'GslbPool',
  gslbPoolMember: 'GslbPoolMember',
  gslbMonitor: 'GslbMonitor',
} as const;
const lists = ['gslbs', 'gslbPools', 'gslbMonitors', 'gslbHistory'];
const ofEverybody = ['gslbFlavor', 'gslbFlavors', 'gslbMonitorTypes'];
const administered = [
  'gslbVantagePoint',
  'gslbVantagePoints',
  'dnsZone',
  'dnsZones',
  'dnsBackend',
  'dnsBackends',
  'gslbCheckers',
  'gslbNameServers',
];
const idOf = (field: string): string =>
  ({ gslb: world.gslb, gslbPool: world.pool, gslbPoolMember: world.member, gslbMonitor: world.monitor })[field] ?? '';

test('every query has a case', () => {
  const fields = Object.keys((graph.schema.getQueryType() as GraphQLObjectType).getFields());
  const cases = [
    ...Object.keys(objects),
    ...lists,
    ...ofEverybody,
    ...administered,
    'gslbExplain',
    'gslbPreview',
    'gslbsAt',
  ];
  expect(fields.filter((name) => !name.startsWith('_')).sort()).toEqual(cases.sort());
});

test.each(Object.entries(objects))('%s of another project is null, as one that never was', async (field, type) => {
  const read = async (id: string) =>
    (await graph.ask<{ one: unknown }>(stranger, `query ($id: ID!) { one: ${field}(id: $id) { id } }`, { id })).one;
  expect(await read(idOf(field))).toBeNull();
  expect(await read(encodeId(type, newUuid()))).toBeNull();
  const { entities } = await graph.ask<{ entities: unknown[] }>(
    ...([
      stranger,
      `query ($all: [_Any!]!) { entities: _entities(representations: $all) { ... on ${type} { id } } }`,
      { all: [{ __typename: type, id: idOf(field) }] },
    ] as const),
  );
  expect(entities).toEqual([null]);
});

test.each(lists)('%s has nothing of another project, also when it is named', async (field) => {
  for (const args of ['', `(projectId: "${encodeId('Project', projectA)}")`]) {
    const { list } = await graph.ask<{ list: { nodes: unknown[] } }>(
      stranger,
      `{ list: ${field}${args} { nodes { id } } }`,
    );
    expect(list.nodes).toEqual([]);
  }
});

test('gslbsAt finds no name of another project by the address of a member', async () => {
  const found = async (caller: Parameters<typeof graph.ask>[0], address: string) =>
    (await graph.ask<{ found: { id: string }[] }>(caller, `{ found: gslbsAt(address: "${address}") { id } }`)).found;
  expect((await found(owner, '203.0.113.7')).map(({ id }) => id)).toContain(world.gslb);
  for (const address of ['203.0.113.7', '203.', '20']) expect(await found(stranger, address)).toEqual([]);
});

test('the answer to a name of another project is explained to nobody, also through its wildcard', async () => {
  const wildcard = { fqdn: '*.b.gslb.test', flavorId: world.flavor, poolIds: [world.pool] };
  await graph.make('gslbCreate', wildcard, owner);
  const names = await graph.db.query<{ id: string }>('SELECT id FROM gslb');
  await graph.db.transaction((tx) =>
    planNames(
      ...([tx, graph] as const),
      names.map(({ id }) => id),
    ),
  );
  const explain = (name: string) => `{ one: gslbExplain(name: "${name}") { gslb { id } generation servers { name } } }`;
  for (const name of ['shop.gslb.test', 'x.b.gslb.test', 'nothing.gslb.test']) {
    expect(await graph.ask(stranger, explain(name))).toEqual({ one: null });
    expect(await graph.ask(null, explain(name))).toEqual({ one: null });
  }
  expect(await graph.ask(owner, explain('shop.gslb.test'))).toMatchObject({ one: { gslb: { id: world.gslb } } });
});

test('a preview of a change says nothing of names of another project', async () => {
  const query = `query ($change: GslbChangeInput!) { seen: gslbPreview(change: $change) { total names { fqdn } userErrors { code } } }`;
  const preview = (caller: Parameters<typeof graph.ask>[0], change: Input) => graph.ask(caller, query, { change });
  const nothing = { seen: { total: 0, names: [], userErrors: [{ code: 'NOT_FOUND' }] } };
  for (const change of [
    { gslbUpdate: { id: world.gslb, ttlSeconds: 60 } },
    { gslbPoolUpdate: { id: world.pool, minUp: 2 } },
    { gslbPoolMemberDelete: { id: world.member } },
    { gslbPoolMemberCreate: { poolId: world.pool, name: 'mine', addresses: ['203.0.113.30'] } },
  ])
    expect(await preview(stranger, change)).toEqual(nothing);
  expect(await preview(owner, { gslbPoolMemberDelete: { id: world.member } })).toMatchObject({
    seen: { names: expect.arrayContaining([{ fqdn: 'shop.gslb.test' }]), userErrors: [] },
  });
});

test('only administrators see vantage points, zones, DNS backends and machines', async () => {
  for (const field of ['gslbVantagePoints', 'dnsZones', 'dnsBackends', 'gslbCheckers', 'gslbNameServers'])
    await expect(graph.ask(owner, `{ ${field} { nodes { id } } }`)).rejects.toThrow('Only administrators');
  const ask = (id: string, field: string) =>
    graph.ask<{ one: unknown }>(owner, `query ($id: ID!) { one: ${field}(id: $id) { id } }`, { id });
  expect(await ask(world.vantagePoint, 'gslbVantagePoint')).toEqual({ one: null });
  expect(await ask(world.zone, 'dnsZone')).toEqual({ one: null });
  const backend = await graph.make('dnsBackendCreate', { name: 'ours', backendType: 'ANSWERER' });
  expect(await ask(backend, 'dnsBackend')).toEqual({ one: null });
});

test('a mutation that names an object of another project gets the words of an unknown id', async () => {
  const before = await graph.everything();
  const unknown = encodeId('GslbPool', newUuid());
  const own = await graph.make('gslbPoolCreate', { name: 'own' }, stranger);
  const monitor = await graph.make('gslbMonitorCreate', { name: 'own', checkType: 'TCP' }, stranger);
  const until = await graph.everything();
  const name = { fqdn: 'stranger.gslb.test', flavorId: world.flavor };
  const cases: readonly (readonly [string, Input, string])[] = [
    ['gslbUpdate', { id: world.gslb, ttlSeconds: 60 }, 'id'],
    ['gslbDelete', { id: world.gslb }, 'id'],
    ['gslbFreeze', { id: world.gslb }, 'id'],
    ['gslbUnfreeze', { id: world.gslb }, 'id'],
    ['gslbPoolUpdate', { id: world.pool, minUp: 2 }, 'id'],
    ['gslbPoolDelete', { id: world.pool }, 'id'],
    ['gslbPoolMemberCreate', { poolId: world.pool, name: 'mine', addresses: ['203.0.113.30'] }, 'poolId'],
    ['gslbPoolMemberUpdate', { id: world.member, weight: 2 }, 'id'],
    ['gslbPoolMemberDelete', { id: world.member }, 'id'],
    ['gslbPoolMemberAdminStateSet', { id: world.member, state: 'FORCED_DOWN' }, 'id'],
    ['gslbPoolMemberRelease', { id: world.member }, 'id'],
    ['gslbMonitorUpdate', { id: world.monitor, fall: 3 }, 'id'],
    ['gslbMonitorDelete', { id: world.monitor }, 'id'],
    ['gslbPoolMonitorAttach', { monitorId: world.monitor, target: { poolId: own } }, 'monitorId'],
    ['gslbPoolMonitorAttach', { monitorId: monitor, target: { poolId: world.pool } }, 'target.poolId'],
    ['gslbPoolMonitorDetach', { monitorId: world.monitor, target: { poolId: world.pool } }, 'monitorId'],
    ['gslbCreate', { ...name, poolIds: [world.pool] }, 'poolIds.0'],
    ['gslbCreate', { ...name, poolIds: [unknown] }, 'poolIds.0'],
    ['gslbCreate', { ...name, poolIds: [own], noneUp: 'POOL', fallbackPoolId: world.pool }, 'fallbackPoolId'],
  ];
  for (const [mutation, input, field] of cases)
    expect([mutation, ...(await graph.mutate(mutation, input, stranger)).faults]).toEqual([
      mutation,
      `NOT_FOUND input.${field}`,
    ]);
  expect(await graph.everything()).toBe(until);
  expect(before).not.toBe(until);
});

test('a quota is of one project', async () => {
  const small = await GslbGraph.open({ quotas: 1 });
  try {
    expect((await small.mutate('gslbPoolCreate', { name: 'one' }, owner)).faults).toEqual([]);
    expect((await small.mutate('gslbPoolCreate', { name: 'two' }, owner)).faults).toEqual(['QUOTA_EXCEEDED ']);
    expect((await small.mutate('gslbPoolCreate', { name: 'one' }, stranger)).faults).toEqual([]);
  } finally {
    await small.stop();
  }
});
