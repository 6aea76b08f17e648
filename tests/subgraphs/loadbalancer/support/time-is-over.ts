// Lets the time pass for which a node is kept: one that was replaced, or that drains.
import { owe } from '../../../../platform/owed/owed-work.ts';
import { reconcileKind } from '../../../../subgraphs/loadbalancer/control/stores/change-balancer.ts';
import type { NodeRow } from '../../../../subgraphs/loadbalancer/rules/rows.ts';
import type { LocalContext } from '../../../support/product/test-context.ts';

/** Its load balancer is looked at now, as it would be at that time. */
export async function timeIsOver(
  { db, wake }: Pick<LocalContext, 'db' | 'wake'>,
  { id, loadBalancerId }: Pick<NodeRow, 'id' | 'loadBalancerId'>,
): Promise<void> {
  await db.transaction(async (tx) => {
    await tx.execute('UPDATE lb_node SET delete_at = NOW(3) WHERE id = ? AND delete_at IS NOT NULL', [id]);
    await owe(tx, reconcileKind, loadBalancerId, {}, wake);
  });
}
