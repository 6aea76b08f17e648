// SQL of decisions about nodes, and of the breaker. Each decision of a round is made once, whoever tries.
import type { Sql, Transaction } from '../../../../platform/database/database.ts';
import { appendStatus } from '../../../../platform/events/append.ts';
import { newUuid } from '../../../../platform/values/ids.ts';
import type { Wake } from '../../../../platform/work/wake.ts';
import type { NodeRow } from '../../rules/rows.ts';
import type { DecisionKind } from '../../rules/states.ts';
import { loadBalancerEvents } from '../events.ts';
import { appendNodeEvents } from '../nodes/node-store.ts';

/** False if it was made before and has had its effect. */
export async function decide(
  tx: Transaction,
  wake: Wake,
  node: NodeRow,
  decision: { readonly kind: DecisionKind; readonly reason: string },
): Promise<boolean> {
  const { affectedRows } = await tx.execute(
    'INSERT IGNORE INTO lb_decision (id, load_balancer_id, node_id, round, kind, reason) VALUES (?, ?, ?, ?, ?, ?)',
    [newUuid(), node.loadBalancerId, node.id, node.round, decision.kind, decision.reason.slice(0, 1024)],
  );
  if (affectedRows === 0) return false;
  const event = { kind: 'loadBalancerNode.decision', from: null, to: decision.kind, reason: decision.reason } as const;
  await appendNodeEvents(tx, wake, node, [event]);
  return true;
}

/** Records the node that was created for the newest replacement decision. */
export async function noteSuccessor(tx: Transaction, nodeId: string, successorId: string): Promise<void> {
  await tx.execute(
    "UPDATE lb_decision SET other_node_id = ? WHERE node_id = ? AND kind = 'REPLACE' ORDER BY round DESC LIMIT 1",
    [successorId, nodeId],
  );
}

/** How often each node of a load balancer was taken back within the last hour. */
export async function countTakeBacks(db: Sql, balancerId: string): Promise<ReadonlyMap<string, number>> {
  const rows = await db.query<{ nodeId: string; count: number }>(
    `SELECT node_id AS nodeId, COUNT(*) AS count FROM lb_decision
    WHERE load_balancer_id = ? AND created_at > NOW(3) - INTERVAL 1 HOUR AND kind = 'TAKE_BACK' GROUP BY node_id`,
    [balancerId],
  );
  return new Map(rows.map(({ nodeId, count }) => [nodeId, Number(count)]));
}

export async function deleteDecisions(tx: Transaction, balancerId: string): Promise<void> {
  await tx.execute('DELETE FROM lb_decision WHERE load_balancer_id = ?', [balancerId]);
}

/**
 * Counts nodes that should serve or were replaced a moment ago, and how many of them are down or failed their last check. Skips nodes of
 * removed hosts, whose cause is known.
 */
export async function readFleet(
  db: Sql,
  togetherMs: number,
): Promise<{ readonly nodes: number; readonly down: number; readonly hosts: number }> {
  const bad = "(operating_status = 'ERROR' OR suspect = 1 OR given_up = 1)";
  const [row] = await db.query<{ nodes: number; down: number | null; hosts: number }>(
    `SELECT COUNT(*) AS nodes, CAST(SUM(${bad}) AS INT) AS down, COUNT(DISTINCT IF(${bad}, host_id, NULL)) AS hosts FROM lb_node
    WHERE (state = 'SERVING' OR (state = 'REPLACED' AND ${bad} AND down_since > NOW(3) - INTERVAL ? MICROSECOND))
      AND host_id IN (SELECT id FROM lb_host WHERE removing = 0)`,
    [togetherMs * 1000],
  );
  return { nodes: Number(row?.nodes ?? 0), down: Number(row?.down ?? 0), hosts: Number(row?.hosts ?? 0) };
}

export async function isBreakerOpen(db: Sql): Promise<boolean> {
  const rows = await db.query('SELECT 1 FROM lb_breaker WHERE id = 1 AND reason IS NOT NULL');
  return rows.length > 0;
}

/** UUID: the breaker is the subject of its events. */
const breakerId = '00000000-0000-8000-8000-000000000001';

/**
 * Opens the breaker for a reason, or closes it (null) after it has been calm for long enough: nodes that failed together do not recover at
 * the same moment. Returns why it is open now. Null if it is closed.
 */
export async function setBreaker(
  tx: Transaction,
  wake: Wake,
  reason: string | null,
  calmMs: number,
): Promise<string | null> {
  if (reason === null && !(await isBreakerOpen(tx))) return null;
  const [row] = await tx.query<{ reason: string | null; calm: number | null; version: number }>(
    `SELECT reason, calm_since < NOW(3) - INTERVAL ? MICROSECOND AS calm, version FROM lb_breaker WHERE id = 1 FOR UPDATE`,
    [calmMs * 1_000],
  );
  if (row === undefined || (row.reason === null && reason === null)) return null;
  if (reason === null && row.calm !== 1) {
    await tx.execute('UPDATE lb_breaker SET calm_since = COALESCE(calm_since, NOW(3)) WHERE id = 1');
    return row.reason;
  }
  await tx.execute('UPDATE lb_breaker SET reason = ?, calm_since = NULL, version = version + 1 WHERE id = 1', [reason]);
  if (row.reason !== null && reason !== null) return reason;
  const [from, to] = reason === null ? (['STOPPED', 'WORKING'] as const) : (['WORKING', 'STOPPED'] as const);
  const subject = { projectId: null, subjectId: breakerId, subjectVersion: row.version + 1 };
  const event = { ...subject, kind: 'loadBalancerHealing.state', from, to, reason } as const;
  await appendStatus(tx, loadBalancerEvents, [event], wake);
  return reason;
}
