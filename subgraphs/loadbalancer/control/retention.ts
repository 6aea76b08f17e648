// Deletes rows of deleted things once nobody can ask for them any more: repeated requests for as long as their keys are kept, readers of
// changes for as long as the events are.
import type { Database } from '../../../platform/database/database.ts';
import { keyTtlMs } from '../../../platform/edge/idempotency.ts';
import { isToldSql } from '../../../platform/events/history.ts';
import { trustedNow } from '../../../platform/leases/trusted-clock.ts';
import { batchSize, deleteInBatches } from '../../../platform/owed/batches.ts';
import type { RetentionStep } from '../../../platform/process/subgraph-row.ts';

/** SQL of one batch. Its first value is how long a deleted row is kept, in milliseconds. */
const steps: Readonly<Record<string, string>> = {
  'parts of load balancers': `DELETE FROM lb_part WHERE ${old()} AND ${onNoNode()} ORDER BY deleted_at LIMIT ${batchSize}`,
  certificates: `DELETE FROM lb_certificate WHERE ${old()} ORDER BY deleted_at LIMIT ${batchSize}`,
  subnets: `DELETE FROM lb_subnet WHERE ${old()} ORDER BY deleted_at LIMIT ${batchSize}`,
  'nodes of load balancers': `DELETE FROM lb_node WHERE state = 'DELETED' AND created_at < ${trustedNow} - INTERVAL ? * 1000 MICROSECOND
    AND NOT ${isToldSql('LoadBalancerNode', 'lb_node.id')} LIMIT ${batchSize}`,
  'load balancers': `DELETE FROM lb_load_balancer WHERE ${old()} AND NOT ${isToldSql('LoadBalancer', 'lb_load_balancer.id')}
    AND id NOT IN (SELECT load_balancer_id FROM lb_node) ORDER BY deleted_at LIMIT ${batchSize}`,
  // Hosts in use delete their own rows when they assign an address.
  'addresses of hosts': `DELETE FROM lb_address WHERE freed_at < ${trustedNow} - INTERVAL ? * 1000 MICROSECOND LIMIT ${batchSize}`,
  'views of members': `DELETE FROM lb_member_status WHERE changed_at < ${trustedNow} - INTERVAL ? * 1000 MICROSECOND
    AND (node_id NOT IN (SELECT id FROM lb_node WHERE state <> 'DELETED') OR member_id NOT IN (SELECT id FROM lb_part WHERE deleted = 0))
    LIMIT ${batchSize}`,
};

export function retentionSteps(db: Database, keptMs = keyTtlMs): readonly RetentionStep[] {
  return Object.entries(steps).map(([name, sql]) => ({
    name,
    run: (signal) => deleteInBatches(db, sql, [keptMs], signal),
  }));
}

function old(): string {
  return `deleted_at < ${trustedNow} - INTERVAL ? * 1000 MICROSECOND`;
}

/** A node with an older generation learns of the deletion from the row. */
function onNoNode(): string {
  return `NOT EXISTS (SELECT 1 FROM lb_node n WHERE n.load_balancer_id = lb_part.load_balancer_id AND n.state <> 'DELETED'
    AND n.applied_generation < lb_part.generation)`;
}
