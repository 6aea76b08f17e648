// Deletes rows of deleted things once nobody can ask for them any more: repeated requests for as long as their keys are kept, readers of
// changes for as long as the events are.
import type { Database } from '../../../platform/database/database.ts';
import { keyTtlMs } from '../../../platform/edge/idempotency.ts';
import { isToldSql } from '../../../platform/events/history.ts';
import { oldRowsStep } from '../../../platform/owed/old-rows.ts';
import type { OldRows, RetentionStep } from '../../../platform/owed/retention-step.ts';

/** A node with an older generation learns of the deletion of a part from the row. */
const onNoNode = `NOT EXISTS (SELECT 1 FROM lb_node n WHERE n.load_balancer_id = lb_part.load_balancer_id AND n.state <> 'DELETED'
  AND n.applied_generation < lb_part.generation)`;

const oldRows: readonly Omit<OldRows, 'keptMs'>[] = [
  {
    ...{ name: 'parts of load balancers', table: 'lb_part', column: 'deleted_at', where: onNoNode },
    parts: { lb_member_status: 'member_id' },
  },
  { name: 'certificates', table: 'lb_certificate', column: 'deleted_at' },
  { name: 'subnets', table: 'lb_subnet', column: 'deleted_at' },
  {
    ...{ name: 'nodes of load balancers', table: 'lb_node', column: 'updated_at', given: { state: 'DELETED' } },
    where: `NOT ${isToldSql('LoadBalancerNode', 'lb_node.id')}`,
    parts: { lb_member_status: 'node_id' },
  },
  {
    ...{ name: 'load balancers', table: 'lb_load_balancer', column: 'deleted_at' },
    where: `NOT ${isToldSql('LoadBalancer', 'lb_load_balancer.id')}
      AND NOT EXISTS (SELECT 1 FROM lb_node n WHERE n.load_balancer_id = lb_load_balancer.id)`,
  },
  // Hosts in use delete their own rows when they assign an address.
  { name: 'addresses of hosts', table: 'lb_address', column: 'freed_at', key: 'scope' },
];

export function retentionSteps(db: Database, keptMs = keyTtlMs): readonly RetentionStep[] {
  return oldRows.map((rows) => oldRowsStep(db, { ...rows, keptMs }));
}
