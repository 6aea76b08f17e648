// Locks on the nodes of one load balancer delay no other.
import { expect, test } from '@jest/globals';
import { nodesUnderLock } from '../../../../../subgraphs/loadbalancer/control/nodes/node-store.ts';
import { forFile } from '../../../../support/jest/shared.ts';
import { BalancerPlace } from '../../support/balancer-place.ts';

const place = forFile(() => BalancerPlace.open());

test('a transaction that locks the nodes of one load balancer does not wait for those of another', async () => {
  const { db } = place.ground;
  const [one, other] = [await place.balancer('one'), await place.balancer('other')];
  const node = await place.node(one, 'node-one');
  await place.node(one, 'node-gone', 'DELETED');
  const second = await place.node(other, 'node-other');
  await db.transaction(async (tx) => {
    expect((await nodesUnderLock(tx, one)).map(({ id }) => id)).toEqual([node]);
    await db.transaction(async (inner) => {
      await inner.execute('SET SESSION innodb_lock_wait_timeout = 1');
      expect((await nodesUnderLock(inner, other)).map(({ id }) => id)).toEqual([second]);
    });
  });
});
