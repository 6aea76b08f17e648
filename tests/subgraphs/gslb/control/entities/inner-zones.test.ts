// A zone below another one. Names that would hide names of the parent zone are refused, and so are long names in our
// own zones.
import { expect, test } from '@jest/globals';
import { forFile } from '../../../../support/jest/shared.ts';
import { GslbGraph, identity, makeWorld, openRight } from '../../support/gslb-graph.ts';

const graph = forFile(() => GslbGraph.open());
const world = forFile(() => makeWorld(graph, owner));
const owner = identity('MEMBER');
const admin = identity('ADMIN');

const name = (fqdn: string) => graph.make('gslbCreate', { fqdn, flavorId: world.flavor, poolIds: [world.pool] }, owner);
const zone = (of: string) => graph.mutate('dnsZoneCreate', { name: of, rights: [openRight(of)] }, admin);

test.each([
  ['a.inner.gslb.test', 'inner.gslb.test'],
  ['here.gslb.test', 'here.gslb.test'],
  ['*.wild.gslb.test', 'wild.gslb.test'],
])('%s could not be answered beside a zone %s', async (fqdn, inner) => {
  await name(fqdn);
  const before = await graph.everything();
  const { faults, told } = await zone(inner);
  expect(faults).toEqual(['IN_USE input.name']);
  expect(told[0]?.message).toContain(fqdn);
  expect(await graph.everything()).toBe(before);
  await graph.db.execute("UPDATE dns_held_name SET rests_until = NOW(3) WHERE owner LIKE 'gslb/%' AND name = ?", [
    fqdn,
  ]);
  expect((await zone(inner)).faults).toEqual([]);
});

test('a zone is allowed beside names that only look like its own', async () => {
  await name('a.other.gslb.test');
  expect((await zone('ther.gslb.test')).faults).toEqual([]);
  expect((await zone('x_ther.gslb.test')).faults).toEqual(['INVALID_INPUT input.name']);
});

test('a zone on our own name servers is refused if its name leaves no room for their names', async () => {
  const label = 'a'.repeat(60);
  const long = `${label}.${label}.${label}.test`;
  const { faults, told } = await zone(`aaa.${long}`);
  expect(faults).toEqual(['INVALID_INPUT input.name']);
  expect(told[0]?.message).toContain('at most 189');
  expect((await zone(long)).faults).toEqual([]);
});
