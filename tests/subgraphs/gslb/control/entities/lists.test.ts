// The lists of GSLB through the graph: orders, cursors, name filters and counts, for a member of one project.
import { beforeAll, expect, test } from '@jest/globals';
import { forFile } from '../../../../support/jest/shared.ts';
import { orders } from '../../../support/orders.ts';
import { GslbGraph, identity, makeWorld, projectB, type World } from '../../support/gslb-graph.ts';

interface Page {
  readonly nodes: readonly { readonly name: string }[];
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string };
  readonly totalCount: number | null;
}

const graph = forFile(() => GslbGraph.open());
let world: World;
const member = identity('MEMBER');
const other = identity('MEMBER', projectB);
const admin = identity('ADMIN');

beforeAll(async () => {
  world = await makeWorld(graph, member);
  for (const name of ['b-one', 'a-two']) {
    const pool = await graph.make('gslbPoolCreate', { name }, member);
    await graph.make('gslbMonitorCreate', { name, checkType: 'TCP', intervalMs: 1_000, timeoutMs: 500 }, member);
    await graph.make(
      ...([
        'gslbCreate',
        { fqdn: `${name}.gslb.test`, flavorId: world.flavor, poolIds: [pool, world.pool] },
        member,
      ] as const),
    );
    await graph.make('gslbPoolCreate', { name }, other);
    await graph.make('gslbFlavorCreate', { name });
    await graph.make('dnsZoneCreate', { name: `${name}.test` });
  }
  for (const name of ['second', 'third'])
    await graph.make(
      'gslbPoolMemberCreate',
      { poolId: world.pool, name, addresses: [`203.0.113.${name.length}`] },
      member,
    );
  const gone = await graph.make('gslbPoolCreate', { name: 'gone' }, member);
  await graph.make('gslbPoolDelete', { id: gone }, member);
});

async function list(field: string, args: string, who = member, name = 'name'): Promise<Page> {
  const fields = `nodes { name: ${name} } pageInfo { hasNextPage endCursor } totalCount`;
  return (await graph.ask<{ list: Page }>(who, `{ list: ${field}(${args}) { ${fields} } }`)).list;
}

const namesOf = ({ nodes }: Page) => nodes.map(({ name }) => name);

orders(
  'gslb',
  (who, text) => graph.ask({ member, admin, other }[who] ?? null, text),
  `
    gslbs             | member | shop.gslb.test b-one.gslb.test a-two.gslb.test | fqdn
    gslbPools         | member | web b-one a-two
    gslbPools         | other  | b-one a-two
    gslbMonitors      | member | web b-one a-two
    gslbFlavors       | member | usual b-one a-two
    dnsZones          | admin  | gslb.test b-one.test a-two.test
    gslbVantagePoints | admin  | eu
    gslbCheckers      | admin  |
    gslbNameServers   | admin  |
    dnsBackends       | admin  |`,
);

test('nested lists count their items in one batch', async () => {
  const { gslbPools: pools } = await graph.ask<{ gslbPools: { nodes: readonly object[] } }>(
    member,
    `{ gslbPools(orderBy: NAME) { nodes { name members(first: 1) { totalCount } gslbs(first: 1) { totalCount } } } }`,
  );
  expect(pools.nodes).toEqual([
    { name: 'a-two', members: { totalCount: 0 }, gslbs: { totalCount: 1 } },
    { name: 'b-one', members: { totalCount: 0 }, gslbs: { totalCount: 1 } },
    { name: 'web', members: { totalCount: 3 }, gslbs: { totalCount: 3 } },
  ]);
  const { gslbMonitors: monitors } = await graph.ask<{ gslbMonitors: { nodes: readonly object[] } }>(
    member,
    `{ gslbMonitors(names: ["web"]) { nodes { attachedPools { totalCount } poolMembers { totalCount } } } }`,
  );
  expect(monitors.nodes).toEqual([{ attachedPools: { totalCount: 1 }, poolMembers: { totalCount: 0 } }]);
  const { dnsZones: zones } = await graph.ask<{ dnsZones: { nodes: readonly object[] } }>(
    admin,
    `{ dnsZones(orderBy: NAME) { nodes { name gslbs { totalCount } } } }`,
  );
  expect(zones.nodes).toEqual([
    { name: 'a-two.test', gslbs: { totalCount: 0 } },
    { name: 'b-one.test', gslbs: { totalCount: 0 } },
    { name: 'gslb.test', gslbs: { totalCount: 3 } },
  ]);
});

test("another project's objects are not counted", async () => {
  expect(await list('gslbPools', 'first: 1', other)).toMatchObject({ nodes: [{ name: 'b-one' }], totalCount: 2 });
  expect(await list('gslbPools', 'names: ["web"]', other)).toMatchObject({ nodes: [], totalCount: 0 });
  expect(await list('gslbs', 'text: "shop"', other, 'fqdn')).toMatchObject({ nodes: [], totalCount: 0 });
  expect(await list('gslbPools', 'text: "o"', admin)).toMatchObject({ totalCount: 4 });
});

test('verdict history is counted, in both orders', async () => {
  const ids = ['01900000-0000-7000-8000-000000000001', '01900000-0000-7000-8000-000000000002'];
  const { pool, of, project } = (
    await graph.db.query<{ pool: string; of: string; project: string }>(
      "SELECT pool_id AS pool, id AS of, project_id AS project FROM gslb_pool_member WHERE name = 'one'",
    )
  )[0] ?? { pool: '', of: '', project: '' };
  for (const id of ids)
    await graph.db.execute(
      "INSERT INTO gslb_flip (id, project_id, pool_id, member_id, reason) VALUES (?, ?, ?, ?, 'tried')",
      [id, project, pool, of],
    );
  const ask = (args: string, who = member) => list('gslbHistory', args, who, 'id');
  const newest = await ask('first: 1');
  expect(newest).toMatchObject({ nodes: [{ name: ids[1] }], totalCount: 2 });
  expect(namesOf(await ask('orderBy: OLDEST'))).toEqual(ids);
  const after = `after: ${JSON.stringify(newest.pageInfo.endCursor)}`;
  expect(namesOf(await ask(`${after}, gslbId: "${world.gslb}"`))).toEqual([ids[0]]);
  expect(await ask(`gslbId: "${world.gslb}", memberId: "${world.member}"`)).toMatchObject({ totalCount: 2 });
  await expect(ask(`orderBy: OLDEST, ${after}`)).rejects.toThrow('of another order');
  expect(await ask('first: 1', other)).toMatchObject({ nodes: [], totalCount: 0 });
  const { gslbs } = await graph.ask<{ gslbs: { nodes: readonly object[] } }>(
    member,
    '{ gslbs { nodes { history(first: 1) { nodes { id } totalCount } } } }',
  );
  expect(gslbs.nodes).toEqual(
    Array.from({ length: 3 }, () => ({ history: { nodes: [{ id: ids[1] }], totalCount: 2 } })),
  );
});

test('an object is found by its name, by callers who may see it', async () => {
  const one = async (field: string, args: string, who = member) =>
    (await graph.ask<{ one: { id: string } | null }>(who, `{ one: ${field}(${args}) { id } }`)).one?.id ?? null;
  expect(await one('gslb', 'fqdn: "Shop.gslb.test."')).toBe(world.gslb);
  expect(await one('gslb', 'fqdn: "shop.gslb.test"', other)).toBeNull();
  expect(await one('gslb', 'fqdn: "none.gslb.test"')).toBeNull();
  expect(await one('gslbPool', 'name: "web"')).toBe(world.pool);
  expect(await one('gslbPool', 'name: "gone"')).toBeNull();
  expect(await one('gslbPool', 'name: "web"', other)).toBeNull();
  expect(await one('gslbMonitor', 'name: "web"')).toBe(world.monitor);
  expect(await one('gslbFlavor', 'name: "usual"')).toBe(world.flavor);
  expect(await one('dnsZone', 'name: "gslb.test"', admin)).toBe(world.zone);
  expect(await one('dnsZone', 'name: "gslb.test"')).toBeNull();
  expect(await one('dnsBackend', 'name: "none"', admin)).toBeNull();
  await expect(one('dnsBackend', 'name: "none", id: "x"', admin)).rejects.toThrow('exactly one of id and name');
  await expect(one('gslbPool', 'name: "web"', admin)).rejects.toThrow('projectId: ');
  await expect(one('gslbPool', `id: "${world.pool}", name: "web"`)).rejects.toThrow('exactly one of id and name');
  await expect(one('gslb', 'id: null')).rejects.toThrow('exactly one of id and fqdn');
});
