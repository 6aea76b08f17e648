// SQL of nodes: decisions about them, and their progress. Changed only under the lock of their load balancer.
import type { Sql, SqlValue, Transaction } from '../../../../platform/database/database.ts';
import { countsOfParents, rowsOfParents } from '../../../../platform/database/parent-rows.ts';
import { marksFor } from '../../../../platform/database/sql.ts';
import { appendStatus } from '../../../../platform/events/append.ts';
import { type PageItems, type PageRequest, pageItems } from '../../../../platform/pages/connection.ts';
import type { Wake } from '../../../../platform/work/wake.ts';
import { isUnchecked, uncheckedReason, uncheckedReasonOf } from '../../rules/plan-input.ts';
import type { NodeRow } from '../../rules/rows.ts';
import { type NodeState, nodeStates } from '../../rules/states.ts';
import { type LoadBalancerEvent, loadBalancerEvents } from '../events.ts';
import { freeAddresses } from '../stores/address-store.ts';
import { cmpObjectOfBalancer } from '../stores/balancer-store.ts';

const columns = `id, project_id AS projectId, load_balancer_id AS loadBalancerId, host_id AS hostId, name, state, reason, operating_status
  AS operatingStatus, address, subnet_address AS subnetAddress, management_address AS managementAddress, connections, threads,
  incarnation, wanted_version AS wantedVersion, applied_generation AS appliedGeneration, placed_at AS placedAt, made_at AS madeAt, configured_at AS configuredAt,
  checked_at AS checkedAt, in_dns_at AS inDnsAt, replaces_id AS replacesId, delete_at AS deleteAt, round, down_since AS downSince, judge_at AS judgeAt,
  suspect, given_up AS givenUp, checked_incarnation AS checkedIncarnation, named, out_of_dns_at AS outOfDnsAt, replace_reason AS
  replaceReason, sessions, floating_priority AS floatingPriority, version, created_at AS createdAt,
  updated_at AS updatedAt`;

type Flags = 'suspect' | 'givenUp' | 'named';
type Raw = Omit<NodeRow, Flags> & Readonly<Record<Flags, number>>;

function toRow(raw: Raw): NodeRow {
  return { ...raw, suspect: raw.suspect === 1, givenUp: raw.givenUp === 1, named: raw.named === 1 };
}

/** `where`: the condition and everything after it. */
async function selectNodes(db: Sql, where: string, values: readonly SqlValue[]): Promise<NodeRow[]> {
  return (await db.query<Raw>(`SELECT ${columns} FROM lb_node WHERE ${where}`, values)).map(toRow);
}

/** Including deleted ones. */
export async function readNodes(db: Sql, ids: readonly string[]): Promise<ReadonlyMap<string, NodeRow>> {
  if (ids.length === 0) return new Map();
  const rows = await selectNodes(db, `id IN (${marksFor(ids)})`, ids);
  return new Map(rows.map((row) => [row.id, row]));
}

/** Without deleted ones, oldest first. */
export async function nodesOf(db: Sql, balancerIds: readonly string[]): Promise<ReadonlyMap<string, NodeRow[]>> {
  if (balancerIds.length === 0) return new Map();
  const where = `load_balancer_id IN (${marksFor(balancerIds)}) AND state <> 'DELETED' ORDER BY id`;
  const rows = await selectNodes(db, where, balancerIds);
  return Map.groupBy(rows, ({ loadBalancerId }) => loadBalancerId);
}

const undeletedStates = nodeStates.filter((state) => state !== 'DELETED');
const nodesOfHost = {
  ...{ table: 'lb_node', index: 'lb_node_host_idx' },
  ranges: (hostId: string) =>
    undeletedStates.map((state) => ({ sql: 'host_id = ? AND state = ?', values: [hostId, state] })),
};

/** By host, without deleted ones, oldest first. */
export async function pagesOfHostNodes(
  db: Sql,
  hostIds: readonly string[],
  { first, after, take }: PageRequest,
): Promise<ReadonlyMap<string, PageItems<NodeRow>>> {
  const found = await rowsOfParents<Raw>(db, hostIds, {
    ...{ ...nodesOfHost, columns, key: 'id', order: 'ASC', after: after?.[0], take },
  });
  const oldestFirst = (one: NodeRow, other: NodeRow) => (one.id < other.id ? -1 : 1);
  return new Map(
    [...found].map(([hostId, raws]) => {
      const rows = raws.map(toRow).sort(oldestFirst).slice(0, take);
      return [hostId, pageItems(rows, first, ({ id }) => [id])];
    }),
  );
}

/** By host, without deleted ones. */
export function countHostNodes(db: Sql, hostIds: readonly string[]): Promise<ReadonlyMap<string, number | null>> {
  return countsOfParents(db, hostIds, nodesOfHost);
}

/** The nodes that a host should remove. */
export function nodesToDelete(
  db: Sql,
  hostId: string,
): Promise<readonly { readonly id: string; readonly loadBalancerId: string }[]> {
  const sql =
    "SELECT id, load_balancer_id AS loadBalancerId FROM lb_node WHERE host_id = ? AND state = 'DELETING' ORDER BY id";
  return db.query(sql, [hostId]);
}

/**
 * Without deleted ones. Call it under the lock of the load balancer, which protects them: scans would also lock rows of other load
 * balancers, and wait for those.
 */
export async function nodesUnderLock(tx: Transaction, balancerId: string): Promise<readonly NodeRow[]> {
  return (await nodesOf(tx, [balancerId])).get(balancerId) ?? [];
}

interface NodeEffect {
  readonly made: boolean;
  /** Its document is in effect, at least in part. */
  readonly configured: boolean;
  /** The generations in effect of the load balancer and of the node's document. */
  readonly applied: number;
  readonly document: number;
  readonly incarnation: string | null;
  readonly error: string | null;
  /** HAProxy ended, and the host could not restart it. */
  readonly givenUp: boolean;
  readonly sessions: number | null;
}

type NodeEvent = Extract<LoadBalancerEvent, { readonly kind: `loadBalancerNode.${string}` }>;

/** The node's events have the version after one more change. */
export async function appendNodeEvents(
  tx: Transaction,
  wake: Wake,
  node: Pick<NodeRow, 'id' | 'projectId' | 'loadBalancerId' | 'version'>,
  events: readonly DistributiveOmit<NodeEvent, 'projectId' | 'subjectId' | 'subjectVersion'>[],
): Promise<void> {
  if (events.length === 0) return;
  const cmpObject = await cmpObjectOfBalancer(tx, node.loadBalancerId);
  const subject = { projectId: node.projectId, subjectId: node.id, subjectVersion: node.version + 1, cmpObject };
  await appendStatus(
    tx,
    loadBalancerEvents,
    events.map((event) => ({ ...subject, ...event }) as NodeEvent),
    wake,
  );
}

type DistributiveOmit<Union, Keys extends PropertyKey> = Union extends unknown ? Omit<Union, Keys> : never;

/** Stores its host's report; the steps MADE and CONFIGURED follow from it. */
export async function reportNode(tx: Transaction, wake: Wake, node: NodeRow, effect: NodeEffect): Promise<void> {
  const made = effect.made && node.madeAt === null;
  const configured = effect.configured && node.configuredAt === null;
  // An earlier document may have drained it for another reason.
  const sessions = effect.document - effect.applied === node.wantedVersion ? effect.sessions : null;
  // While it is replaced or drains, the reason explains that.
  const reason =
    node.state === 'BUILDING' || node.state === 'SERVING' ? (effect.error ?? uncheckedReasonOf(node)) : node.reason;
  await tx.execute(
    `UPDATE lb_node SET applied_generation = ?, incarnation = ?, reason = ?, given_up = ?, sessions = ?,
      made_at = IF(?, NOW(3), made_at), configured_at = IF(?, NOW(3), configured_at), version = version + 1 WHERE id = ?`,
    [effect.applied, effect.incarnation, reason, effect.givenUp, sessions, made, configured, node.id],
  );
  const steps = [...(made ? (['MADE'] as const) : []), ...(configured ? (['CONFIGURED'] as const) : [])];
  await appendNodeEvents(
    tx,
    wake,
    node,
    steps.map((to) => ({ kind: 'loadBalancerNode.step', from: null, to })),
  );
  if (configured) tx.afterCommit(() => wake.notify(nodesTopic));
  if (effect.givenUp && node.configuredAt !== null) {
    const reported = { ...node, version: node.version + 1 };
    const message = effect.error ?? 'its HAProxy ended';
    await setNodeHealth(tx, wake, reported, { up: false, message, judgeInMs: settleMs });
  }
}

/** How long after a node is found down others that failed at the same moment become known. */
export const settleMs = 100;

/** Topic that wakes the workers that check nodes: the set of nodes has changed. */
export const nodesTopic = 'lb-nodes';

interface NodeHealth {
  readonly up: boolean;
  readonly message: string | null;
  /** Time until a node that is down may be judged. */
  readonly judgeInMs: number;
}

/** Stores a verdict of the checks. Each change to down begins another round. */
export async function setNodeHealth(
  tx: Transaction,
  wake: Wake,
  node: NodeRow,
  { up, message, judgeInMs }: NodeHealth,
): Promise<void> {
  const to = up ? 'ONLINE' : 'ERROR';
  if (node.operatingStatus === to) return;
  await tx.execute(
    `UPDATE lb_node SET operating_status = ?, suspect = ?, round = round + ?, down_since = IF(?, NULL, NOW(3)),
      judge_at = IF(?, NULL, NOW(3) + INTERVAL ? MICROSECOND), version = version + 1 WHERE id = ?`,
    [to, !up, up ? 0 : 1, up, up, judgeInMs * 1_000, node.id],
  );
  const event = { kind: 'loadBalancerNode.operatingStatus', from: node.operatingStatus, to, reason: message } as const;
  await appendNodeEvents(tx, wake, node, [event]);
}

type NewNode = Pick<
  NodeRow,
  | 'id'
  | 'projectId'
  | 'loadBalancerId'
  | 'hostId'
  | 'name'
  | 'address'
  | 'managementAddress'
  | 'connections'
  | 'threads'
> &
  Partial<Pick<NodeRow, 'replacesId' | 'floatingPriority'>>;

/** Emits the event of its first step. `reason`: why it is created, if not only to reach the wanted number. */
export async function insertNode(
  tx: Transaction,
  wake: Wake,
  row: NewNode,
  reason: string | null = null,
): Promise<void> {
  await tx.execute(
    `INSERT INTO lb_node (id, project_id, load_balancer_id, host_id, name, state, address, management_address, connections, threads,
      replaces_id, floating_priority, placed_at) VALUES (?, ?, ?, ?, ?, 'BUILDING', ?, ?, ?, ?, ?, ?, NOW(3))`,
    [
      ...[row.id, row.projectId, row.loadBalancerId, row.hostId, row.name],
      ...[
        row.address,
        row.managementAddress,
        row.connections,
        row.threads,
        row.replacesId ?? null,
        row.floatingPriority ?? null,
      ],
    ],
  );
  await appendNodeEvents(tx, wake, { ...row, version: 0 }, [
    { kind: 'loadBalancerNode.state', from: null, to: 'BUILDING', reason },
    { kind: 'loadBalancerNode.step', from: null, to: 'PLACED', reason: `its address is ${row.address}` },
  ]);
}

interface NodeStateChange {
  readonly state: NodeState;
  readonly reason?: string;
  /** Time until it should be deleted. Null for never. Default: unchanged. */
  readonly deleteInMs?: number | null;
  /** Text of its event. Default: the reason. */
  readonly note?: string;
}

export async function setNodeState(tx: Transaction, wake: Wake, node: NodeRow, change: NodeStateChange): Promise<void> {
  const { state, reason = null, deleteInMs, note = reason } = change;
  const deleteAt =
    deleteInMs === undefined ? 'delete_at' : deleteInMs === null ? 'NULL' : 'NOW(3) + INTERVAL ? MICROSECOND';
  await tx.execute(
    `UPDATE lb_node SET state = ?, reason = ?, delete_at = ${deleteAt}, sessions = NULL, wanted_version = wanted_version + 1,
      version = version + 1 WHERE id = ?`,
    [state, reason, ...(deleteInMs == null ? [] : [deleteInMs * 1000]), node.id],
  );
  await appendNodeEvents(tx, wake, node, [
    { kind: 'loadBalancerNode.state', from: node.state, to: state, reason: note },
  ]);
}

/** Its health checks are not made, for this reason. A reason of its host, or of its leaving, is not replaced. */
export async function noteUnchecked(tx: Transaction, node: NodeRow, why: string): Promise<boolean> {
  const reason = uncheckedReason(why);
  const isOpen = node.state === 'BUILDING' || node.state === 'SERVING';
  if (!isOpen || (node.reason !== null && !isUnchecked(node)) || node.reason === reason) return false;
  await tx.execute('UPDATE lb_node SET reason = ?, version = version + 1 WHERE id = ?', [reason, node.id]);
  return true;
}

/** Sets when it is deleted if nothing ends it before. Its document stays unchanged. */
export async function setDeadline(tx: Transaction, id: string, inMs: number): Promise<void> {
  await tx.execute(
    'UPDATE lb_node SET delete_at = NOW(3) + INTERVAL ? MICROSECOND, version = version + 1 WHERE id = ?',
    [inMs * 1_000, id],
  );
}

/** Records one check; the first success is the step CHECKED. Returns the updated node. */
export async function noteCheck(
  tx: Transaction,
  wake: Wake,
  node: NodeRow,
  check: { readonly suspect: boolean; readonly incarnation: string | null; readonly succeeded: boolean },
): Promise<NodeRow> {
  const { suspect, incarnation, succeeded } = check;
  const first = succeeded && node.checkedAt === null;
  const reason = isUnchecked(node) ? null : node.reason;
  const changes = Number(first || reason !== node.reason);
  await tx.execute(
    `UPDATE lb_node SET suspect = ?, checked_incarnation = ?, checked_at = IF(?, NOW(3), checked_at), reason = ?,
      version = version + ? WHERE id = ?`,
    [suspect, incarnation, first, reason, changes, node.id],
  );
  if (first) await appendNodeEvents(tx, wake, node, [{ kind: 'loadBalancerNode.step', from: null, to: 'CHECKED' }]);
  return { ...node, suspect, checkedIncarnation: incarnation, reason, version: node.version + changes };
}

/** Its name now resolves to its address: the last step of its creation. */
export async function noteInDns(tx: Transaction, wake: Wake, node: NodeRow, reason: string): Promise<void> {
  await tx.execute('UPDATE lb_node SET in_dns_at = COALESCE(in_dns_at, NOW(3)), version = version + 1 WHERE id = ?', [
    node.id,
  ]);
  await appendNodeEvents(tx, wake, node, [{ kind: 'loadBalancerNode.step', from: null, to: 'IN_DNS', reason }]);
}

/** Its address has left the DNS servers, or has returned. No event if `reason` is null. Returns the updated node. */
export async function noteDns(
  tx: Transaction,
  wake: Wake,
  node: NodeRow,
  { isIn, reason }: { readonly isIn: boolean; readonly reason: string | null },
): Promise<NodeRow> {
  const at = isIn ? 'NULL' : 'NOW(3)';
  await tx.execute(`UPDATE lb_node SET out_of_dns_at = ${at}, version = version + 1 WHERE id = ?`, [node.id]);
  const [from, to] = isIn ? (['OUT', 'IN'] as const) : (['IN', 'OUT'] as const);
  if (node.inDnsAt !== null && reason !== null)
    await appendNodeEvents(tx, wake, node, [{ kind: 'loadBalancerNode.dns', from, to, reason }]);
  return { ...node, version: node.version + 1 };
}

/** Declares the addresses of exactly these nodes of a load balancer. A returning one counts as out until the servers answer with it. */
export async function setNamed(tx: Transaction, balancerId: string, ids: readonly string[]): Promise<void> {
  const among = ids.length === 0 ? '0' : `id IN (${marksFor(ids)})`;
  await tx.execute(
    `UPDATE lb_node SET out_of_dns_at = IF(${among}, out_of_dns_at, NULL), named = ${among}
    WHERE load_balancer_id = ? AND state <> 'DELETED' AND named <> ${among}`,
    [...ids, ...ids, balancerId, ...ids],
  );
}

/** Requests its replacement. Null withdraws the request. */
export async function wishReplaced(tx: Transaction, id: string, reason: string | null): Promise<void> {
  await tx.execute('UPDATE lb_node SET replace_reason = ?, version = version + 1 WHERE id = ?', [reason, id]);
}

/** Replaced nodes on the host are deleted now: the host does not come back. */
export async function awaitNoReturn(tx: Transaction, balancerId: string, hostId: string): Promise<void> {
  await tx.execute(
    "UPDATE lb_node SET delete_at = NOW(3) WHERE load_balancer_id = ? AND host_id = ? AND state = 'REPLACED'",
    [balancerId, hostId],
  );
}

/** Keeps only its row, as the subject of its events. */
export async function endNode(tx: Transaction, wake: Wake, node: NodeRow, reason: string | null): Promise<void> {
  await setNodeState(tx, wake, node, { state: 'DELETED', ...(reason === null ? {} : { reason }) });
  await freeAddresses(tx, { holder: node.id, balancerId: node.loadBalancerId, address: node.address });
  await tx.execute('DELETE FROM lb_member_status WHERE node_id = ?', [node.id]);
  tx.afterCommit(() => wake.notify(nodesTopic));
}
