// Lets the retention time of a replaced or draining node pass.
import { owe } from '../../../../platform/owed/owed-work.ts';
import { reconcileKind } from '../../../../subgraphs/loadbalancer/control/stores/change-balancer.ts';
import type { NodeRow } from '../../../../subgraphs/loadbalancer/rules/rows.ts';
import type { LocalContext } from '../../../support/product/test-context.ts';

/** Reconciles its load balancer now, as would happen at that time. */
export async function timeIsOver(
  { db, wake }: Pick<LocalContext, 'db' | 'wake'>,
  { id, loadBalancerId }: Pick<NodeRow, 'id' | 'loadBalancerId'>,
): Promise<void> {
  await db.transaction(async (tx) => {
    await tx.execute('UPDATE lb_node SET delete_at = NOW(3) WHERE id = ? AND delete_at IS NOT NULL', [id]);
    await owe(tx, reconcileKind, loadBalancerId, {}, wake);
  });
}
