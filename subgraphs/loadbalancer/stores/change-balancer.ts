// The one way in which a load balancer changes: its row is locked, the change is written under the next generation, and nodes and
// reconciler are woken. A change is never refused because another one is under way.
import type { Transaction } from '../../../platform/database/database.ts';
import { refuse } from '../../../platform/errors.ts';
import { appendStatus } from '../../../platform/events/append.ts';
import { owe } from '../../../platform/owed-work.ts';
import type { Wake } from '../../../platform/wake.ts';
import { loadBalancerEvents } from '../events.ts';
import { type BalancerRow, beginGeneration, lockBalancer } from './balancer-store.ts';

/** Owed for a load balancer (UUID) whenever what it wants or what there is has changed. */
export const reconcileKind = 'lb-reconcile';

/** Wakes the processes to which the hosts of its nodes are connected. */
export function balancerTopic(id: string): string {
  return `lb/${id}`;
}

/** In which changes of a load balancer wait for each other (`Attempt.inTurn`), for its row. */
export function balancerTurn(id: string): string {
  return `lb/${id}`;
}

/**
 * Refuses NOT_FOUND a load balancer that is deleted, or about to be. `write` runs under the generation that it is given. `field`: of the
 * input, by which the load balancer or its part was named.
 */
export async function changeBalancer(
  tx: Transaction,
  wake: Wake,
  id: string,
  write: (row: BalancerRow, generation: number) => Promise<void>,
  field = 'id',
): Promise<void> {
  const row = await lockBalancer(tx, id);
  if (row === undefined || row.provisioningStatus === 'DELETING' || row.provisioningStatus === 'DELETED')
    refuse('NOT_FOUND', 'the load balancer was deleted', { field: ['input', field] });
  const generation = row.generation + 1;
  await write(row, generation);
  await beginGeneration(tx, id, generation);
  const subject = { projectId: row.projectId, subjectId: id, subjectVersion: row.version + 1 };
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
