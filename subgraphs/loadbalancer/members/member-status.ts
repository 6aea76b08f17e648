// What the nodes' checks say of a member: each node's view, and the member's status joined from all of them.
import type { Transaction } from '../../../platform/database/database.ts';
import { appendStatus } from '../../../platform/events/append.ts';
import type { Wake } from '../../../platform/wake.ts';
import { loadBalancerEvents } from '../events.ts';
import type { OperatingStatus } from '../model/states.ts';
import type { NodeRow } from '../stores/node-store.ts';
import { readParts } from '../stores/part-store.ts';

export interface MemberView {
  /** UUID. */
  readonly member: string;
  readonly status: 'UP' | 'DOWN';
  readonly message: string;
}

/** Under the lock of the load balancer. A member that was deleted meanwhile has no status. */
export async function storeMemberStatus(tx: Transaction, wake: Wake, node: NodeRow, view: MemberView): Promise<void> {
  const part = (await readParts(tx, [view.member])).get(view.member);
  if (part?.kind !== 'Member' || part.deleted || part.loadBalancerId !== node.loadBalancerId) return;
  await tx.execute(
    `INSERT INTO lb_member_status (member_id, node_id, status, message, changed_at) VALUES (?, ?, ?, ?, NOW(3))
    ON DUPLICATE KEY UPDATE changed_at = IF(status = VALUES(status), changed_at, NOW(3)), status = VALUES(status), message = VALUES(message)`,
    [part.id, node.id, view.status, view.message],
  );
  const views = await tx.query<{ status: 'UP' | 'DOWN' }>(
    `SELECT s.status FROM lb_member_status s JOIN lb_node n ON n.id = s.node_id
    WHERE s.member_id = ? AND n.state IN ('BUILDING', 'SERVING', 'DRAINING')`,
    [part.id],
  );
  const status = joined(views.map((each) => each.status));
  if (status === part.operatingStatus) return;
  await tx.execute('UPDATE lb_part SET operating_status = ?, status_message = ?, version = version + 1 WHERE id = ?', [
    ...[status, status === 'ONLINE' ? null : view.message, part.id],
  ]);
  const subject = { projectId: part.projectId, subjectId: part.id, subjectVersion: part.version + 1 };
  const event = {
    ...subject,
    kind: 'member.operatingStatus',
    from: part.operatingStatus,
    to: status,
    reason: view.message,
  } as const;
  await appendStatus(tx, loadBalancerEvents, [event], wake);
}

/** Nodes may disagree: each reaches the member by another way. */
export function joined(views: readonly ('UP' | 'DOWN')[]): OperatingStatus {
  if (views.length === 0) return 'UNKNOWN';
  if (views.every((view) => view === 'UP')) return 'ONLINE';
  return views.some((view) => view === 'UP') ? 'DEGRADED' : 'OFFLINE';
}
