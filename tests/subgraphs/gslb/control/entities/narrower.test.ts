// A change that narrows an object lists the names that it would exclude. A zone has a size limit, because name servers
// get it whole.
import { expect, test } from '@jest/globals';
import { decodeUuid, encodeId } from '../../../../../platform/values/ids.ts';
import { planNames } from '../../../../../subgraphs/gslb/control/plans/planning.ts';
import { mostZoneBytes, mostZoneMaps } from '../../../../../subgraphs/gslb/control/stores/zone-room.ts';
import { forFile } from '../../../../support/jest/shared.ts';
import { GslbGraph, type Input, identity, makeWorld, openRight, projectA, projectB } from '../../support/gslb-graph.ts';

const graph = forFile(() => GslbGraph.open());
const world = forFile(() => makeWorld(graph, owner));
const owner = identity('MEMBER');

async function refused(mutation: string, input: Input, who = identity('ADMIN')): Promise<readonly string[]> {
  const before = await graph.everything();
  const { faults, told } = await graph.mutate(mutation, input, who);
  expect(await graph.everything()).toBe(before);
  for (const { message } of told) expect(message).toMatch(/gslb\.test/);
  return faults;
}

test.each([
  [{ policies: ['GEO', 'FAILOVER'] }, 'policies'],
  [{ shortestTtlSeconds: 31 }, 'shortestTtlSeconds'],
  [{ longestTtlSeconds: 29 }, 'longestTtlSeconds'],
  [{ shortestIntervalMs: 1_001 }, 'shortestIntervalMs'],
] as const)('a flavor with %j would leave out a name', async (change, field) => {
  expect(await refused('gslbFlavorUpdate', { id: world.flavor, ...change })).toEqual([`IN_USE input.${field}`]);
});

test('a flavor can be narrowed as far as its names allow, and so can the objects that it uses', async () => {
  const second = { poolId: world.pool, name: 'two', addresses: ['203.0.113.8'] };
  const two = await graph.make('gslbPoolMemberCreate', second, owner);
  const change = {
    policies: ['ROUND_ROBIN'],
    shortestTtlSeconds: 30,
    longestTtlSeconds: 30,
    shortestIntervalMs: 1_000,
  };
  expect(await refused('gslbFlavorUpdate', { id: world.flavor, mostMembers: 1 })).toEqual(['IN_USE input.mostMembers']);
  await graph.make('gslbFlavorUpdate', { id: world.flavor, ...change, mostMembers: 2 });
  const third = { poolId: world.pool, name: 'three', addresses: ['203.0.113.9'] };
  expect(await refused('gslbPoolMemberCreate', third, owner)).toEqual(['LIMIT_REACHED input.poolId']);
  await graph.make('gslbPoolMemberDelete', { id: two }, owner);
});

test("a right that a name needs can't be removed", async () => {
  const zone = (rights: readonly Input[]) => ({ id: world.zone, rights });
  const [a, b] = [encodeId('Project', projectA), encodeId('Project', projectB)];
  for (const rights of [[], [{ suffix: 'gslb.test', projectId: b }], [{ suffix: 'a.gslb.test' }]])
    expect(await refused('dnsZoneUpdate', zone(rights))).toEqual(['IN_USE input.rights']);
  await graph.make('dnsZoneUpdate', zone([{ suffix: 'shop.gslb.test', projectId: a }]));
  await graph.make('dnsZoneUpdate', zone([openRight('gslb.test')]));
});

test('a full zone accepts no more names, and has room again when a name shrinks', async () => {
  const { db } = graph;
  const name = { flavorId: world.flavor, poolIds: [world.pool] };
  const bytes = async (fqdn: string) =>
    (await db.query<{ bytes: number }>('SELECT plan_bytes AS bytes FROM gslb WHERE fqdn = ?', [fqdn]))[0]?.bytes ?? 0;
  const id = await graph.make('gslbCreate', { ...name, fqdn: 'large.gslb.test' }, owner);
  const estimate = await bytes('large.gslb.test');
  await db.transaction((tx) => planNames(tx, graph, [decodeUuid('Gslb', id) ?? '']));
  const [row] = await db.query<{ length: number }>(
    "SELECT LENGTH(plan) AS length FROM gslb WHERE fqdn = 'large.gslb.test'",
  );
  expect(await bytes('large.gslb.test')).toBe(Number(row?.length));
  expect(estimate).toBeGreaterThan(0.8 * Number(row?.length));
  // The size that many other names would take.
  await db.execute("UPDATE gslb SET plan_bytes = ? WHERE fqdn = 'shop.gslb.test'", [
    mostZoneBytes - Number(row?.length),
  ]);
  expect(await refused('gslbCreate', { ...name, fqdn: 'one-more.gslb.test' }, owner)).toEqual([
    'LIMIT_REACHED input.fqdn',
  ]);
  const member = { poolId: world.pool, name: 'more', addresses: ['203.0.113.40'] };
  expect(await refused('gslbPoolMemberCreate', member, owner)).toEqual(['LIMIT_REACHED input.poolId']);
  const clientBlocks = [{ cidr: '198.51.100.0/24', region: 'eu' }];
  expect(await refused('gslbUpdate', { id, clientBlocks }, owner)).toEqual(['LIMIT_REACHED input.poolIds']);
  await db.execute("UPDATE gslb SET plan_bytes = 1000 WHERE fqdn = 'shop.gslb.test'");
  expect((await graph.mutate('gslbUpdate', { id, clientBlocks }, owner)).faults).toEqual([]);
});

test("names with client blocks share the zone's limit for name servers", async () => {
  const blocks = { policy: 'GEO', clientBlocks: [{ cidr: '203.0.113.0/24', region: 'eu' }] };
  const flavorId = await graph.make('gslbFlavorCreate', { name: 'maps' });
  const input = (label: string) => ({ fqdn: `${label}.gslb.test`, flavorId, poolIds: [world.pool], ...blocks });
  await graph.make('gslbCreate', input('map-one'), owner);
  await graph.db.execute(
    `INSERT INTO gslb (id, project_id, fqdn, live_fqdn, zone, flavor_id, spec, action, provisioning_status)
    SELECT CONCAT('01900000-0000-7000-9000-', LPAD(seq, 12, '0')), project_id, CONCAT('m', seq, '.gslb.test'),
      CONCAT('m', seq, '.gslb.test'), zone, flavor_id, spec, 'NONE', 'ACTIVE'
    FROM gslb, seq_1_to_${Math.floor(mostZoneMaps / 2) - 1} WHERE fqdn = 'map-one.gslb.test'`,
  );
  const { faults, told } = await graph.mutate('gslbCreate', input('map-two'), owner);
  expect(faults).toEqual(['LIMIT_REACHED input.clientBlocks']);
  expect(told[0]?.message).toContain(`${Math.floor(mostZoneMaps / 2)} are allowed`);
  const change = { id: world.gslb, clientBlocks: blocks.clientBlocks };
  expect((await graph.mutate('gslbUpdate', change, owner)).faults).toEqual(['LIMIT_REACHED input.clientBlocks']);
});
