// The only way to change a load balancer: its row is locked, the change is written under the next generation, and nodes and reconciler are
// woken. A running change is never a reason to refuse another.
import type { Transaction } from '../../../../platform/database/database.ts';
import { refuse } from '../../../../platform/errors/errors.ts';
import { appendStatus } from '../../../../platform/events/append.ts';
import { owe } from '../../../../platform/owed/owed-work.ts';
import type { Wake } from '../../../../platform/work/wake.ts';
import type { BalancerRow } from '../../rules/rows.ts';
import { loadBalancerEvents } from '../events.ts';
import { beginGeneration, lockBalancer, subjectOf } from './balancer-store.ts';

/** Owed for a load balancer (UUID) whenever its wanted or actual state has changed. */
export const reconcileKind = 'lb-reconcile';

/** Topic that wakes the processes with connections of its nodes' hosts. */
export function balancerTopic(id: string): string {
  return `lb/${id}`;
}

/** Queue in which changes of a load balancer wait for its row (`Attempt.inTurn`). */
export function balancerTurn(id: string): string {
  return `lb/${id}`;
}

/**
 * Refuses NOT_FOUND if the load balancer is deleted or being deleted. `write` gets the generation of the change. `field`: the input field
 * that named the load balancer or its part. If `write` returns false, it found nothing to change, and there is no new generation.
 */
export async function changeBalancer(
  tx: Transaction,
  wake: Wake,
  id: string,
  write: (row: BalancerRow, generation: number) => Promise<unknown>,
  field = 'id',
): Promise<void> {
  const row = await lockBalancer(tx, id);
  if (row === undefined || row.provisioningStatus === 'DELETING' || row.provisioningStatus === 'DELETED')
    refuse('NOT_FOUND', 'the load balancer was deleted', { field: ['input', field] });
  const generation = row.generation + 1;
  if ((await write(row, generation)) === false) return;
  await beginGeneration(tx, id, generation);
  const subject = subjectOf(row);
  const from = row.provisioningStatus;
  await appendStatus(
    tx,
    loadBalancerEvents,
    [
      from === 'ACTIVE'
        ? { ...subject, kind: 'loadBalancer.provisioningStatus', from, to: 'PENDING' }
        : { ...subject, kind: 'loadBalancer.changed', from, to: from },
    ],
    wake,
  );
  await owe(tx, reconcileKind, id, {}, wake);
  tx.afterCommit(() => wake.notify(balancerTopic(id)));
}
