// SQL of nodes: what was decided of them, and how far they are. Changed only under the lock of their load balancer.
import type { Sql, SqlValue, Transaction } from '../../../platform/database/database.ts';
import { marksFor } from '../../../platform/database/sql.ts';
import { appendStatus } from '../../../platform/events/append.ts';
import type { PageRequest } from '../../../platform/graph/connection.ts';
import type { Wake } from '../../../platform/wake.ts';
import { type LoadBalancerEvent, loadBalancerEvents } from '../events.ts';
import type { NodeState, OperatingStatus } from '../model/states.ts';
import { freeAddresses } from './address-store.ts';

export interface NodeRow {
  readonly id: string;
  readonly projectId: string;
  readonly loadBalancerId: string;
  readonly hostId: string | null;
  readonly name: string;
  readonly state: NodeState;
  readonly reason: string | null;
  readonly operatingStatus: OperatingStatus;
  readonly address: string | null;
  readonly subnetAddress: string | null;
  readonly managementAddress: string | null;
  readonly connections: number;
  readonly threads: number;
  readonly incarnation: string | null;
  readonly wantedVersion: number;
  readonly appliedGeneration: number;
  readonly placedAt: Date | null;
  readonly madeAt: Date | null;
  readonly configuredAt: Date | null;
  readonly checkedAt: Date | null;
  readonly inDnsAt: Date | null;
  readonly replacesId: string | null;
  readonly deleteAt: Date | null;
  /** Rises each time it is found down. */
  readonly round: number;
  readonly downSince: Date | null;
  /** By then the checks of all other nodes have shown whether they fell with it; before, nothing follows from its being down. */
  readonly judgeAt: Date | null;
  /** Its last check failed. */
  readonly suspect: boolean;
  /** Its HAProxy ended, and its host could not mend that. */
  readonly givenUp: boolean;
  /** The incarnation that answered its last successful check. */
  readonly checkedIncarnation: string | null;
  /** Its address is among those declared for the name of its load balancer. */
  readonly named: boolean;
  /** When the servers of DNS had its address no more. */
  readonly outOfDnsAt: Date | null;
  /** Why another node is to take its place; null: none is. */
  readonly replaceReason: string | null;
  /** Sessions that it still has while it drains; null: not known. */
  readonly sessions: number | null;
  /** ACTIVE_STANDBY: the node with the highest has the floating address. */
  readonly floatingPriority: number | null;
  readonly version: number;
  readonly createdAt: Date;
}

const columns = `id, project_id AS projectId, load_balancer_id AS loadBalancerId, host_id AS hostId, name, state, reason, operating_status
  AS operatingStatus, address, subnet_address AS subnetAddress, management_address AS managementAddress, connections, threads,
  incarnation, wanted_version AS wantedVersion, applied_generation AS appliedGeneration, placed_at AS placedAt, made_at AS madeAt, configured_at AS configuredAt,
  checked_at AS checkedAt, in_dns_at AS inDnsAt, replaces_id AS replacesId, delete_at AS deleteAt, round, down_since AS downSince, judge_at AS judgeAt,
  suspect, given_up AS givenUp, checked_incarnation AS checkedIncarnation, named, out_of_dns_at AS outOfDnsAt, replace_reason AS
  replaceReason, sessions, floating_priority AS floatingPriority, version, created_at AS createdAt`;

type Flags = 'suspect' | 'givenUp' | 'named';
type Raw = Omit<NodeRow, Flags> & Readonly<Record<Flags, number>>;

function toRow(raw: Raw): NodeRow {
  return { ...raw, suspect: raw.suspect === 1, givenUp: raw.givenUp === 1, named: raw.named === 1 };
}

/** `where`: the condition and what follows it. */
export async function selectNodes(db: Sql, where: string, values: readonly SqlValue[]): Promise<NodeRow[]> {
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

/** Without deleted ones, oldest first. */
export function pageOfHostNodes(db: Sql, hostId: string, { after, take }: PageRequest): Promise<NodeRow[]> {
  const where = "host_id = ? AND state <> 'DELETED' AND id > ? ORDER BY id LIMIT ?";
  return selectNodes(db, where, [hostId, after?.[0] ?? '', take]);
}

/** The nodes that a host has to remove. */
export function nodesToDelete(
  db: Sql,
  hostId: string,
): Promise<readonly { readonly id: string; readonly loadBalancerId: string }[]> {
  const sql =
    "SELECT id, load_balancer_id AS loadBalancerId FROM lb_node WHERE host_id = ? AND state = 'DELETING' ORDER BY id";
  return db.query(sql, [hostId]);
}

/**
 * Without deleted ones. Under the lock of the load balancer, which alone keeps them as they are: locks of these rows would be taken by
 * scans, which wait for the rows of other load balancers.
 */
export async function nodesUnderLock(tx: Transaction, balancerId: string): Promise<readonly NodeRow[]> {
  return (await nodesOf(tx, [balancerId])).get(balancerId) ?? [];
}

export interface NodeEffect {
  readonly made: boolean;
  /** The load balancer's generation in effect, and that of the node's document. */
  readonly applied: number;
  readonly document: number;
  readonly incarnation: string | null;
  readonly error: string | null;
  /** HAProxy ended, and the host could not mend that. */
  readonly givenUp: boolean;
  readonly sessions: number | null;
}

type NodeEvent = Extract<LoadBalancerEvent, { readonly kind: `loadBalancerNode.${string}` }>;

/** The version of the node's events is that after one more change. */
export async function appendNodeEvents(
  tx: Transaction,
  wake: Wake,
  node: Pick<NodeRow, 'id' | 'projectId' | 'version'>,
  events: readonly DistributiveOmit<NodeEvent, 'projectId' | 'subjectId' | 'subjectVersion'>[],
): Promise<void> {
  if (events.length === 0) return;
  const subject = { projectId: node.projectId, subjectId: node.id, subjectVersion: node.version + 1 };
  await appendStatus(
    tx,
    loadBalancerEvents,
    events.map((event) => ({ ...subject, ...event }) as NodeEvent),
    wake,
  );
}

type DistributiveOmit<Union, Keys extends PropertyKey> = Union extends unknown ? Omit<Union, Keys> : never;

/** What its host reports; the steps MADE and CONFIGURED follow from it. */
export async function reportNode(tx: Transaction, wake: Wake, node: NodeRow, effect: NodeEffect): Promise<void> {
  const made = effect.made && node.madeAt === null;
  const configured = effect.applied > 0 && node.configuredAt === null;
  // An earlier document may have drained it for another reason.
  const sessions = effect.document - effect.applied === node.wantedVersion ? effect.sessions : null;
  // While it is replaced or drains, the reason is why.
  const reason = node.state === 'BUILDING' || node.state === 'SERVING' ? effect.error : node.reason;
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

/** What fell at the same moment is known so long after the first is found down. */
export const settleMs = 100;

/** Wakes the workers that check nodes: there are others to check. */
export const nodesTopic = 'lb-nodes';

export interface NodeHealth {
  readonly up: boolean;
  readonly message: string | null;
  /** After how long a node that is down may be judged. */
  readonly judgeInMs: number;
}

/** What the checks have decided; each change to down begins another round. */
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

export type NewNode = Pick<
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

/** With the event of its first step. `reason`: why it is made, if not only because so many nodes are wanted. */
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

export interface NodeStateChange {
  readonly state: NodeState;
  readonly reason?: string;
  /** After how long it is to be deleted; null: not by itself. Default: as before. */
  readonly deleteInMs?: number | null;
  /** What its event says. Default: the reason. */
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

/** When it is deleted, if nothing ends it before. Its document stays as it is. */
export async function setDeadline(tx: Transaction, id: string, inMs: number): Promise<void> {
  await tx.execute(
    'UPDATE lb_node SET delete_at = NOW(3) + INTERVAL ? MICROSECOND, version = version + 1 WHERE id = ?',
    [inMs * 1_000, id],
  );
}

/** One check of it; the first that succeeds is the step CHECKED. Returns the node as it is then. */
export async function noteCheck(
  tx: Transaction,
  wake: Wake,
  node: NodeRow,
  check: { readonly suspect: boolean; readonly incarnation: string | null; readonly succeeded: boolean },
): Promise<NodeRow> {
  const { suspect, incarnation, succeeded } = check;
  const first = succeeded && node.checkedAt === null;
  await tx.execute(
    `UPDATE lb_node SET suspect = ?, checked_incarnation = ?, checked_at = IF(?, NOW(3), checked_at), version = version + ? WHERE id = ?`,
    [suspect, incarnation, first, Number(first), node.id],
  );
  if (first) await appendNodeEvents(tx, wake, node, [{ kind: 'loadBalancerNode.step', from: null, to: 'CHECKED' }]);
  return { ...node, suspect, checkedIncarnation: incarnation, version: node.version + Number(first) };
}

/** Its name is answered with its address: the last step of its making. */
export async function noteInDns(tx: Transaction, wake: Wake, node: NodeRow, reason: string): Promise<void> {
  await tx.execute('UPDATE lb_node SET in_dns_at = COALESCE(in_dns_at, NOW(3)), version = version + 1 WHERE id = ?', [
    node.id,
  ]);
  await appendNodeEvents(tx, wake, node, [{ kind: 'loadBalancerNode.step', from: null, to: 'IN_DNS', reason }]);
}

/** The servers of DNS have its address no more, or again. `reason` null: no event. Returns the node as it is then. */
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

/** Of a load balancer's nodes exactly these have their addresses declared. One that comes back was out until the servers answer it. */
export async function setNamed(tx: Transaction, balancerId: string, ids: readonly string[]): Promise<void> {
  const among = ids.length === 0 ? '0' : `id IN (${marksFor(ids)})`;
  await tx.execute(
    `UPDATE lb_node SET out_of_dns_at = IF(${among}, out_of_dns_at, NULL), named = ${among}
    WHERE load_balancer_id = ? AND state <> 'DELETED' AND named <> ${among}`,
    [...ids, ...ids, balancerId, ...ids],
  );
}

/** Somebody wishes another node in its place; null: nobody does any more. */
export async function wishReplaced(tx: Transaction, id: string, reason: string | null): Promise<void> {
  await tx.execute('UPDATE lb_node SET replace_reason = ?, version = version + 1 WHERE id = ?', [reason, id]);
}

/** Replaced nodes on the host go now: it does not come back. */
export async function awaitNoReturn(tx: Transaction, balancerId: string, hostId: string): Promise<void> {
  await tx.execute(
    "UPDATE lb_node SET delete_at = NOW(3) WHERE load_balancer_id = ? AND host_id = ? AND state = 'REPLACED'",
    [balancerId, hostId],
  );
}

/** Its row stays, as the subject of its events; nothing else of it does. */
export async function endNode(tx: Transaction, wake: Wake, node: NodeRow, reason: string | null): Promise<void> {
  await setNodeState(tx, wake, node, { state: 'DELETED', ...(reason === null ? {} : { reason }) });
  await freeAddresses(tx, { holder: node.id, balancerId: node.loadBalancerId, address: node.address });
  await tx.execute('DELETE FROM lb_member_status WHERE node_id = ?', [node.id]);
  tx.afterCommit(() => wake.notify(nodesTopic));
}
