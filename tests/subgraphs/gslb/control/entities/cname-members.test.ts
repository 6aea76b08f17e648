// FQDN members that join a pool after its names. A CNAME that a name may not have is refused then too.
import { expect, test } from '@jest/globals';
import { forFile } from '../../../../support/jest/shared.ts';
import { GslbGraph, type Input, identity, makeWorld } from '../../support/gslb-graph.ts';

const graph = forFile(() => GslbGraph.open());
const world = forFile(() => makeWorld(graph, owner));
const owner = identity('MEMBER');

const pool = (name: string) => graph.make('gslbPoolCreate', { name }, owner);
const name = (fqdn: string, poolId: string) =>
  graph.make('gslbCreate', { fqdn, flavorId: world.flavor, poolIds: [poolId] }, owner);
const alias = (poolId: string, cname: string): Input => ({ poolId, name: 'one', memberType: 'FQDN', cname });

test('a member that points a name back to itself', async () => {
  const [one, two] = [await pool('one'), await pool('two')];
  await name('one.gslb.test', one);
  await name('two.gslb.test', two);
  const member = await graph.make('gslbPoolMemberCreate', alias(one, 'two.gslb.test'), owner);
  const before = await graph.everything();
  const { faults, told } = await graph.mutate('gslbPoolMemberCreate', alias(two, 'one.gslb.test'), owner);
  expect(faults).toEqual(['INVALID_INPUT input.cname']);
  expect(told[0]?.message).toContain('lead back: two.gslb.test → one.gslb.test → two.gslb.test');
  expect(await graph.everything()).toBe(before);
  const outside = { ...alias(two, 'www.example.test') };
  const second = await graph.make('gslbPoolMemberCreate', outside, owner);
  const update = await graph.mutate('gslbPoolMemberUpdate', { id: second, cname: 'ONE.gslb.test' }, owner);
  expect(update.faults).toEqual(['INVALID_INPUT input.cname']);
  const own = await graph.mutate('gslbPoolMemberUpdate', { id: member, cname: 'one.gslb.test' }, owner);
  expect(own.faults).toEqual(['INVALID_INPUT input.cname']);
});

test('a member that makes the zone itself a CNAME', async () => {
  const apex = await pool('apex');
  await name('gslb.test', apex);
  const { faults, told } = await graph.mutate('gslbPoolMemberCreate', alias(apex, 'www.example.test'), owner);
  expect(faults).toEqual(['INVALID_INPUT input.cname']);
  expect(told[0]?.message).toContain('the zone itself');
  await graph.make('gslbPoolMemberCreate', { poolId: apex, name: 'one', addresses: ['203.0.113.7'] }, owner);
});

test('a loop behind more CNAMEs than one read covers', async () => {
  const [many, back] = [await pool('many'), await pool('back')];
  await name('many.gslb.test', many);
  for (let at = 0; at < 205; at += 1)
    await graph.make(
      'gslbPoolMemberCreate',
      { ...alias(many, at === 204 ? 'back.gslb.test' : `w${at}.example.test`), name: `m${at}` },
      owner,
    );
  await graph.make('gslbPoolMemberCreate', alias(back, 'many.gslb.test'), owner);
  const input = { fqdn: 'back.gslb.test', flavorId: world.flavor, poolIds: [back] };
  expect((await graph.mutate('gslbCreate', input, owner)).faults).toEqual(['INVALID_INPUT input.poolIds']);
});
