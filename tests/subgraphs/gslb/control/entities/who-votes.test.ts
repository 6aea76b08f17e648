// The flavors of a pool's names decide which vantage points vote on its members. A rule that they can't meet is
// refused, and so is a flavor without voters.
import { beforeAll, expect, test } from '@jest/globals';
import { forFile } from '../../../../support/jest/shared.ts';
import { GslbGraph, identity, makeWorld, type World } from '../../support/gslb-graph.ts';

const graph = forFile(() => GslbGraph.open());
let world: World;
let [flavor, pool] = ['', ''];
const owner = identity('MEMBER');

beforeAll(async () => {
  world = await makeWorld(graph, owner);
  for (const name of ['us', 'ap'])
    await graph.make('gslbVantagePointCreate', { name, region: name, latitude: 1, longitude: 1 });
  flavor = await graph.make('gslbFlavorCreate', { name: 'european', vantagePointNames: ['eu'] });
  pool = await graph.make('gslbPoolCreate', { name: 'few' }, owner);
});

const update = (input: object) => graph.mutate('gslbPoolUpdate', { id: pool, ...input }, owner);

test('a quorum that the vantage points of a flavor can never meet', async () => {
  expect((await update({ quorum: { leastVoters: 3 } })).faults).toEqual([]);
  expect((await update({ quorum: {} })).faults).toEqual([]);
  await graph.make('gslbCreate', { fqdn: 'few.gslb.test', flavorId: flavor, poolIds: [pool] }, owner);
  const { faults, told } = await update({ quorum: { leastVoters: 3 } });
  expect(faults).toEqual(['INVALID_INPUT input.quorum']);
  expect(told[0]?.message).toContain('1 vantage points vote');
  expect((await update({ quorum: { leastVoters: 1 } })).faults).toEqual([]);
});

test('the last vantage point of a flavor', async () => {
  const before = await graph.everything();
  const { faults, told } = await graph.mutate('gslbVantagePointDelete', { id: world.vantagePoint });
  expect(faults).toEqual(['IN_USE input.id']);
  expect(told[0]?.message).toContain('european');
  expect(await graph.everything()).toBe(before);
  const second = await graph.make('gslbVantagePointCreate', { name: 'eu2', region: 'eu', latitude: 1, longitude: 1 });
  await graph.make('gslbFlavorCreate', { name: 'both', vantagePointNames: ['eu2', 'us'] });
  expect((await graph.mutate('gslbVantagePointDelete', { id: second })).faults).toEqual([]);
});
