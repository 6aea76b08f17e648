// Finds replaced nodes that see no healthy member where other nodes do. They would answer clients with errors.
import { expect, test } from '@jest/globals';
import { blindNodes, storeMemberView } from '../../../../../subgraphs/loadbalancer/control/members/member-status.ts';
import { nodesUnderLock } from '../../../../../subgraphs/loadbalancer/control/nodes/node-store.ts';
import { partsSince } from '../../../../../subgraphs/loadbalancer/control/stores/part-store.ts';
import { forFile } from '../../../../support/jest/shared.ts';
import { BalancerPlace } from '../../support/balancer-place.ts';

const place = forFile(() => BalancerPlace.open());

test('a replaced node is blind while it sees no member of a pool in which a serving node sees one', async () => {
  const { db } = place.ground;
  const members = ['192.0.2.1', '192.0.2.2'].map((host) => ({ host, port: 80 }));
  const balancer = await place.balancer('web', { pools: [{ name: 'default', memberProtocol: 'HTTP', members }] });
  const [serving, replaced] = [await place.node(balancer, 'one'), await place.node(balancer, 'two', 'REPLACED')];
  const [first, second] = (await partsSince(db, balancer, 0))
    .filter(({ kind }) => kind === 'PoolMember')
    .map(({ id }) => id) as [string, string];
  const see = (node: string, member: string, status: 'UP' | 'DOWN') =>
    db.transaction(async (tx) => {
      const row = (await nodesUnderLock(tx, balancer)).find(({ id }) => id === node);
      if (row !== undefined) await storeMemberView(tx, row, { member, status, message: '' });
    });
  const blind = () => db.transaction(async (tx) => [...(await blindNodes(tx, await nodesUnderLock(tx, balancer)))]);

  expect(await blind()).toEqual([]);
  await see(replaced, first, 'DOWN');
  await see(replaced, second, 'DOWN');
  // No node sees a member, because the members are dead.
  expect(await blind()).toEqual([]);
  await see(serving, first, 'UP');
  expect(await blind()).toEqual([replaced]);
  await see(replaced, second, 'UP');
  expect(await blind()).toEqual([]);
  await see(replaced, second, 'DOWN');
  expect(await blind()).toEqual([replaced]);
  await see(serving, first, 'DOWN');
  expect(await blind()).toEqual([]);
});
