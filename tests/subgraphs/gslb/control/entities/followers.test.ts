// A load balancer links to the GSLB members that follow it.
import { expect, test } from '@jest/globals';
import type { Identity } from '../../../../../platform/caller/identity.ts';
import { encodeId, newUuid } from '../../../../../platform/values/ids.ts';
import { forFile } from '../../../../support/jest/shared.ts';
import { GslbGraph, identity, makeWorld, projectB } from '../../support/gslb-graph.ts';

const graph = forFile(() => GslbGraph.open());
const [one, other] = [1, 2].map(() => encodeId('LoadBalancer', newUuid()));
const member = identity('MEMBER');
const stranger: Identity = { ...member, projects: { [projectB]: 'MEMBER' } };

async function followers(who: Identity, first = 20): Promise<unknown[]> {
  const text = `query ($r: [_Any!]!) { _entities(representations: $r) { ... on LoadBalancer {
    gslbPoolMembers(first: ${first}) { totalCount nodes { name pool { gslbs { nodes { fqdn } } } } } } } }`;
  const r = [one, other].map((id) => ({ __typename: 'LoadBalancer', id }));
  const { _entities } = await graph.ask<{ _entities: { gslbPoolMembers: unknown }[] }>(who, text, { r });
  return _entities.map(({ gslbPoolMembers }) => gslbPoolMembers);
}

test('the links show followers and their names, from projects that the caller may see', async () => {
  const { pool } = await makeWorld(graph);
  const none = { totalCount: 0, nodes: [] };
  expect(await followers(member)).toEqual([none, none]);
  const input = { poolId: pool, memberType: 'LOADBALANCER', loadBalancerId: one, servicePort: 80 };
  const id = await graph.make('gslbPoolMemberCreate', { ...input, name: 'followed' }, member);
  const shown = (name: string) => ({ name, pool: { gslbs: { nodes: [{ fqdn: 'shop.gslb.test' }] } } });
  const found = { totalCount: 1, nodes: [shown('followed')] };
  for (const who of [member, identity('ADMIN')]) expect(await followers(who)).toEqual([found, none]);
  // Another project may enter the ID of a load balancer that it does not own.
  const theirs = await graph.make(
    'gslbPoolCreate',
    { name: 'theirs', projectId: encodeId('Project', projectB) },
    stranger,
  );
  await graph.make('gslbPoolMemberCreate', { ...input, poolId: theirs, name: 'foreign' }, stranger);
  expect(await followers(member)).toEqual([found, none]);
  expect(await followers(stranger)).toMatchObject([{ totalCount: 1, nodes: [{ name: 'foreign' }] }, none]);
  expect(await followers(identity('ADMIN'), 1)).toMatchObject([{ totalCount: 2, nodes: [{ name: 'followed' }] }, none]);

  const moved = await graph.mutate('gslbPoolMemberUpdate', { id, loadBalancerId: other }, member);
  expect(moved.faults).toEqual([]);
  expect(await followers(member)).toEqual([none, found]);
  expect((await graph.mutate('gslbPoolMemberDelete', { id }, member, '{ name }')).faults).toEqual([]);
  expect(await followers(member)).toEqual([none, none]);
});
