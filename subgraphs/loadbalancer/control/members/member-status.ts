// Stores each node's view of a member from its checks, and the operating statuses that follow from all views.
import type { Transaction } from '../../../../platform/database/database.ts';
import { marksFor } from '../../../../platform/database/sql.ts';
import { appendStatus } from '../../../../platform/events/append.ts';
import type { Wake } from '../../../../platform/work/wake.ts';
import { isEnding, isFirstCreated } from '../../rules/operating-status.ts';
import type { BalancerRow, NodeRow } from '../../rules/rows.ts';
import { type LoadBalancerEvent, loadBalancerEvents } from '../events.ts';
import { subjectOf } from '../stores/balancer-store.ts';
import { partsSince, readParts } from '../stores/part-store.ts';
import { balancerVerdict, seenBy } from './balancer-verdict.ts';

type View = 'UP' | 'DOWN';

interface MemberView {
  /** UUID. */
  readonly member: string;
  readonly status: View;
  readonly message: string;
}

/** Call it under the lock of the load balancer. False if nothing changed, or if the member was deleted in between. */
export async function storeMemberView(tx: Transaction, node: NodeRow, view: MemberView): Promise<boolean> {
  const part = (await readParts(tx, [view.member])).get(view.member);
  if (part?.kind !== 'PoolMember' || part.deleted || part.loadBalancerId !== node.loadBalancerId) return false;
  const { affectedRows } = await tx.execute(
    `INSERT INTO lb_member_status (member_id, node_id, status, message, changed_at) VALUES (?, ?, ?, ?, NOW(3))
    ON DUPLICATE KEY UPDATE changed_at = IF(status = VALUES(status), changed_at, NOW(3)), status = VALUES(status), message = VALUES(message)`,
    [part.id, node.id, view.status, view.message],
  );
  return affectedRows > 0;
}

/** Call it under the lock of the load balancer, after its nodes have changed: updates its statuses and those of its members. */
export async function refreshStatuses(
  tx: Transaction,
  wake: Wake,
  balancer: BalancerRow,
  nodes: readonly NodeRow[],
): Promise<void> {
  const parts = await partsSince(tx, balancer.id, 0);
  const serving = nodes.filter(isServing);
  const views = await viewsOf(tx, serving);
  const seen = new Map([...views].map(([id, all]) => [id, seenBy(all.map(({ status }) => status))]));
  const events: LoadBalancerEvent[] = [];
  // The members of one that is being deleted end with it.
  for (const part of isEnding(balancer) ? [] : parts.filter(({ kind }) => kind === 'PoolMember')) {
    const to = seen.get(part.id) ?? 'UNKNOWN';
    const reason = views.get(part.id)?.find(({ status }) => status === 'DOWN')?.message ?? null;
    if (to === part.operatingStatus && reason === part.operatingReason) continue;
    await tx.execute(
      'UPDATE lb_part SET operating_status = ?, operating_reason = ?, version = version + 1 WHERE id = ?',
      [...[to, reason, part.id]],
    );
    if (to === part.operatingStatus) continue;
    const subject = { ...subjectOf(balancer), subjectId: part.id, subjectVersion: part.version + 1 };
    events.push({ ...subject, kind: 'poolMember.operatingStatus', from: part.operatingStatus, to, reason });
  }
  const { status: to, reason } = balancerVerdict({
    balancer: { ...balancer, isFirstCreated: isFirstCreated(balancer, nodes), isEnding: isEnding(balancer) },
    ...{ parts, seen, servingNodes: serving.length },
  });
  if (to !== balancer.operatingStatus) {
    await tx.execute('UPDATE lb_load_balancer SET operating_status = ?, version = version + 1 WHERE id = ?', [
      ...[to, balancer.id],
    ]);
    const subject = subjectOf(balancer);
    events.push({ ...subject, kind: 'loadBalancer.operatingStatus', from: balancer.operatingStatus, to, reason });
  }
  if (events.length > 0) await appendStatus(tx, loadBalancerEvents, events, wake);
}

/** Those of these nodes that are replaced and see no healthy member of a pool in which a serving node sees some. */
export async function blindNodes(tx: Transaction, nodes: readonly NodeRow[]): Promise<ReadonlySet<string>> {
  const rows = await tx.query<{ nodeId: string; poolId: string; seen: number }>(
    `SELECT s.node_id AS nodeId, p.parent_id AS poolId, SUM(s.status = 'UP') AS seen
    FROM lb_member_status s JOIN lb_part p ON p.id = s.member_id AND p.deleted = 0
    WHERE s.node_id IN (${marksFor(nodes)}) GROUP BY s.node_id, p.parent_id`,
    nodes.map(({ id }) => id),
  );
  const serving = new Set(nodes.filter(isServing).map(({ id }) => id));
  const alive = new Set(
    rows.filter(({ nodeId, seen }) => serving.has(nodeId) && Number(seen) > 0).map(({ poolId }) => poolId),
  );
  const replaced = new Set(nodes.filter(({ state }) => state === 'REPLACED').map(({ id }) => id));
  const blind = rows.filter(
    ({ nodeId, poolId, seen }) => replaced.has(nodeId) && alive.has(poolId) && Number(seen) === 0,
  );
  return new Set(blind.map(({ nodeId }) => nodeId));
}

function isServing({ state, operatingStatus }: NodeRow): boolean {
  return state === 'SERVING' && operatingStatus !== 'ERROR';
}

async function viewsOf(
  tx: Transaction,
  nodes: readonly NodeRow[],
): Promise<ReadonlyMap<string, readonly { readonly status: View; readonly message: string | null }[]>> {
  if (nodes.length === 0) return new Map();
  const rows = await tx.query<{ memberId: string; status: View; message: string | null }>(
    `SELECT member_id AS memberId, status, message FROM lb_member_status WHERE node_id IN (${marksFor(nodes)})`,
    nodes.map(({ id }) => id),
  );
  return Map.groupBy(rows, ({ memberId }) => memberId);
}
