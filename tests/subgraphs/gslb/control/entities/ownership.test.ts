// Names of two projects through the graph: zone rights, conflicting names, reserved server names, rest times and
// limits.
import { beforeAll, describe, expect, test } from '@jest/globals';
import { claimName } from '../../../../../dns/ownership/name-claims.ts';
import { keepServerName } from '../../../../../dns/ownership/server-names.ts';
import { decodeUuid, encodeId, newUuid } from '../../../../../platform/values/ids.ts';
import { settleName } from '../../../../../subgraphs/gslb/control/plans/settle-name.ts';
import { mostZoneBytes } from '../../../../../subgraphs/gslb/control/stores/zone-room.ts';
import { forFile } from '../../../../support/jest/shared.ts';
import {
  GslbGraph,
  type Input,
  identity,
  makeWorld,
  projectA,
  projectB,
  type World,
} from '../../support/gslb-graph.ts';

const alpha = identity('MEMBER', projectA);
const beta = identity('MEMBER', projectB);
const idOf = (project: string) => encodeId('Project', project);

const graph = forFile(() => GslbGraph.open());
let world: World;
let pools: ReadonlyMap<unknown, string>;
beforeAll(async () => {
  world = await makeWorld(graph, alpha);
  pools = new Map([
    [alpha, world.pool],
    [beta, await graph.make('gslbPoolCreate', { name: 'web' }, beta)],
  ]);
});

const create = async (who: typeof alpha, fqdn: string, more: Input = {}) => {
  const { faults, entity } = await graph.mutate(
    'gslbCreate',
    { fqdn, flavorId: world.flavor, poolIds: [pools.get(who)], ...more },
    who,
  );
  return { fault: faults[0] ?? 'OK', id: String(entity?.id) };
};
const fault = async (who: typeof alpha, fqdn: string) => (await create(who, fqdn)).fault;

/** Finishes the deletion like a worker does once no name server answers the name. */
async function remove(id: string, restMs = 86_400_000): Promise<void> {
  await graph.make('gslbDelete', { id }, alpha);
  const uuid = decodeUuid('Gslb', id) ?? '';
  await graph.db.transaction((tx) => settleName(tx, { wake: graph.wake, pendingMs: 60_000, nameRestMs: restMs }, uuid));
}

test('a right without a project covers names below PROJECT.SUFFIX', async () => {
  await graph.make('dnsZoneCreate', { name: 'every.test', rights: [{ suffix: 'every.test' }] });
  expect(await fault(alpha, 'shop.alpha.every.test')).toBe('OK');
  for (const name of [
    'shop.every.test',
    'shop.beta.every.test',
    'every.test',
    '*.alpha.every.test',
    '_x.alpha.every.test',
  ])
    expect(await fault(alpha, name)).toBe('INVALID_INPUT input.fqdn');
  expect(await fault(beta, 'shop.beta.every.test')).toBe('OK');
  expect(await fault(beta, 'login.shop.alpha.every.test')).toBe('NAME_TAKEN input.fqdn');
});

describe('two projects that both have every right on a zone', () => {
  const zone = 'both.test';
  beforeAll(async () => {
    const allows = ['APEX', 'WILDCARDS', 'UNDERSCORES'];
    const rights = [projectA, projectB].map((project) => ({ suffix: zone, projectId: idOf(project), allows }));
    await graph.make('dnsZoneCreate', { name: zone, rights });
  });

  test("can't create names above, below or over each other, even at the same moment", async () => {
    expect(await fault(alpha, `shop.${zone}`)).toBe('OK');
    for (const name of [`login.shop.${zone}`, `*.shop.${zone}`, `_acme-challenge.shop.${zone}`, `*.${zone}`])
      expect(await fault(beta, name)).toBe('NAME_TAKEN input.fqdn');
    for (let round = 0; round < 4; round += 1) {
      const faults = await Promise.all([fault(alpha, `r${round}.${zone}`), fault(beta, `x.r${round}.${zone}`)]);
      expect(faults.toSorted()).toEqual(['NAME_TAKEN input.fqdn', 'OK']);
    }
  });

  test('load balancers and GSLBs share one set of names', async () => {
    const claim = { name: `web.lb.${zone}`, owner: 'loadbalancer/1', project: { id: projectB, name: 'beta' } };
    const rules = [{ suffix: zone, projectIds: [projectB] }];
    const taken = await graph.db.transaction((tx) =>
      claimName(tx, { ...claim, zone: { name: zone, rules, hasOwnServers: false, nameServers: [] } }),
    );
    expect(taken).toBeUndefined();
    expect(await fault(alpha, `web.lb.${zone}`)).toBe('NAME_TAKEN input.fqdn');
    expect(await fault(alpha, `lb.${zone}`)).toBe('NAME_TAKEN input.fqdn');
  });

  test('an owner shares a name with another project', async () => {
    const { id } = await create(alpha, `open.${zone}`, { sharedWithProjectIds: [idOf(projectB)] });
    expect(await fault(beta, `a.open.${zone}`)).toBe('OK');
    expect((await graph.mutate('gslbUpdate', { id, sharedWithProjectIds: [] }, alpha)).faults).toEqual([]);
    expect(await fault(beta, `b.open.${zone}`)).toBe('NAME_TAKEN input.fqdn');
    expect((await graph.mutate('gslbUpdate', { id, sharedWithProjectIds: ['x'] }, alpha)).faults).toEqual([
      'NOT_FOUND input.sharedWithProjectIds.0',
    ]);
  });

  test('a deleted name stays reserved for its project', async () => {
    const { id } = await create(alpha, `rests.${zone}`);
    await remove(id);
    expect(await fault(beta, `rests.${zone}`)).toBe('NAME_TAKEN input.fqdn');
    expect(await fault(beta, `login.rests.${zone}`)).toBe('NAME_TAKEN input.fqdn');
    const again = await create(alpha, `rests.${zone}`);
    expect(again.fault).toBe('OK');
    await remove(again.id, 0);
    expect(await fault(beta, `rests.${zone}`)).toBe('OK');
  });

  test('the names of name servers are refused, in whatever order they are created', async () => {
    await graph.db.transaction((tx) => keepServerName(tx, { id: newUuid(), name: 'ns7' }));
    for (const name of [`ns7.${zone}`, `x.ns7.${zone}`]) expect(await fault(beta, name)).toBe('NAME_TAKEN input.fqdn');
  });
});

test('rights can be changed while there are names that the current rights would not allow', async () => {
  const open = { suffix: 'old.test', allows: ['OUTSIDE_PROJECT'] };
  const id = await graph.make('dnsZoneCreate', { name: 'old.test', rights: [open] });
  const { id: name } = await create(alpha, 'web.old.test');
  // A right from before rights had kinds.
  const spec = JSON.stringify({ description: '', rights: [{ suffix: 'old.test', projectId: null }] });
  await graph.db.execute("UPDATE gslb_zone SET spec = ? WHERE name = 'old.test'", [spec]);
  expect((await graph.mutate('dnsZoneUpdate', { id, description: 'kept' })).faults).toEqual([]);
  expect((await graph.mutate('gslbUpdate', { id: name, description: 'kept' }, alpha)).faults).toEqual([]);
  expect((await graph.mutate('dnsZoneUpdate', { id, rights: [open] })).faults).toEqual([]);
  expect((await graph.mutate('dnsZoneUpdate', { id, rights: [{ suffix: 'old.test' }] })).faults).toEqual([
    'IN_USE input.rights',
  ]);
  const shown = await graph.mutate('dnsZoneUpdate', { id }, undefined, '{ rights { suffix project { id } allows } }');
  expect(shown.entity).toEqual({ rights: [{ ...open, project: null }] });
});

test('one project leaves room in a zone for others', async () => {
  const open = { suffix: 'room.test', allows: ['OUTSIDE_PROJECT'] };
  const id = await graph.make('dnsZoneCreate', { name: 'room.test', rights: [open] });
  expect(await fault(alpha, 'first.room.test')).toBe('OK');
  await graph.db.execute("UPDATE gslb SET plan_bytes = ? WHERE fqdn = 'first.room.test'", [mostZoneBytes / 2]);
  expect(await fault(alpha, 'second.room.test')).toBe('LIMIT_REACHED input.fqdn');
  expect(await fault(beta, 'other.room.test')).toBe('OK');
  await graph.db.execute("UPDATE gslb SET plan_bytes = ? WHERE fqdn = 'other.room.test'", [mostZoneBytes / 4]);
  expect(await fault(beta, 'more.room.test')).toBe('LIMIT_REACHED input.fqdn');
  // A project may fill its own zone.
  expect((await graph.mutate('dnsZoneUpdate', { id, rights: [open] })).faults).toEqual([]);
  await graph.make('dnsZoneCreate', { name: 'own.test', rights: [{ suffix: 'own.test', projectId: idOf(projectA) }] });
  expect(await fault(alpha, 'first.own.test')).toBe('OK');
  await graph.db.execute("UPDATE gslb SET plan_bytes = ? WHERE fqdn = 'first.own.test'", [mostZoneBytes - 100_000]);
  expect(await fault(alpha, 'second.own.test')).toBe('OK');
});
