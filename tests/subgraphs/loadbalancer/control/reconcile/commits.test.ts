// The changes that the reconciler commits together. A step that others wait for is not delayed by later steps.
import { expect, test } from '@jest/globals';
import type { Transaction } from '../../../../../platform/database/database.ts';
import { newUuid } from '../../../../../platform/values/ids.ts';
import { nodesOf } from '../../../../../subgraphs/loadbalancer/control/nodes/node-store.ts';
import { reconcile } from '../../../../../subgraphs/loadbalancer/control/reconcile/reconcile-queue.ts';
import { forFile } from '../../../../support/jest/shared.ts';
import { BalancerPlace } from '../../support/balancer-place.ts';
import { connectHost } from '../../support/host-records.ts';

const place = forFile(() => BalancerPlace.open());

/** How often it read the load balancer, and when it wants to run again. */
async function reconcileOnce(balancer: string): Promise<{ readonly rounds: number; readonly againInMs?: number }> {
  const { db, wake } = place.ground;
  let rounds = 0;
  const againInMs = await db.transaction((tx) => {
    const counted: Transaction = {
      query(sql, values, options) {
        if (/FROM lb_load_balancer WHERE id = \? FOR UPDATE/.test(sql)) rounds += 1;
        return tx.query(sql, values, options);
      },
      execute: (sql, values) => tx.execute(sql, values),
      afterCommit: (action) => tx.afterCommit(action),
      provenBy: (recordId) => tx.provenBy(recordId),
    };
    return reconcile(counted, { db, wake }, balancer);
  });
  return { rounds, ...(againInMs === undefined ? {} : { againInMs }) };
}

test('a transaction that places a node plans nothing more; the next one follows at once, and places no other', async () => {
  const { db, wake } = place.ground;
  const range = '198.51.100.0/24';
  const facts = { provider: 'NETNS', site: null, tunnelAddress: null, maxNodes: 10, healthPort: 18_999 } as const;
  await db.transaction((tx) =>
    connectHost(tx, wake, { id: newUuid(), name: 'host' }, { ...facts, publicRange: range, managementRange: range }),
  );
  const balancer = await place.balancer('web');
  const names = async () => ((await nodesOf(db, [balancer])).get(balancer) ?? []).map(({ name }) => name);
  expect(await reconcileOnce(balancer)).toEqual({ rounds: 1, againInMs: 10 });
  const placed = await names();
  expect(placed.length).toBeGreaterThan(0);
  const { againInMs } = await reconcileOnce(balancer);
  expect(againInMs).toBeGreaterThan(10);
  expect(await names()).toEqual(placed);
});
