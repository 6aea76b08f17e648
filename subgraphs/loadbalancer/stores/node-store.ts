// SQL of nodes: what was decided of them, and how far they are. Changed only under the lock of their load balancer.
import type { Sql, Transaction } from '../../../platform/database/database.ts';
import { marksFor } from '../../../platform/database/sql.ts';
import { appendStatus } from '../../../platform/events/append.ts';
import type { PageRequest } from '../../../platform/graph/connection.ts';
import type { Wake } from '../../../platform/wake.ts';
import { loadBalancerEvents } from '../events.ts';
import type { NodeState, OperatingStatus } from '../model/states.ts';

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
  readonly version: number;
  readonly createdAt: Date;
}

const columns = `id, project_id AS projectId, load_balancer_id AS loadBalancerId, host_id AS hostId, name, state, reason, operating_status
  AS operatingStatus, address, subnet_address AS subnetAddress, management_address AS managementAddress, connections, threads,
  incarnation, wanted_version AS wantedVersion, applied_generation AS appliedGeneration, placed_at AS placedAt, made_at AS madeAt, configured_at AS configuredAt,
  checked_at AS checkedAt, in_dns_at AS inDnsAt, replaces_id AS replacesId, delete_at AS deleteAt, version, created_at AS createdAt`;

/** Including deleted ones. */
export async function readNodes(db: Sql, ids: readonly string[]): Promise<ReadonlyMap<string, NodeRow>> {
  if (ids.length === 0) return new Map();
  const rows = await db.query<NodeRow>(`SELECT ${columns} FROM lb_node WHERE id IN (${marksFor(ids)})`, ids);
  return new Map(rows.map((row) => [row.id, row]));
}

/** Without deleted ones, oldest first. */
export async function nodesOf(db: Sql, balancerIds: readonly string[]): Promise<ReadonlyMap<string, NodeRow[]>> {
  if (balancerIds.length === 0) return new Map();
  const rows = await db.query<NodeRow>(
    `SELECT ${columns} FROM lb_node WHERE load_balancer_id IN (${marksFor(balancerIds)}) AND state <> 'DELETED' ORDER BY id`,
    balancerIds,
  );
  return Map.groupBy(rows, ({ loadBalancerId }) => loadBalancerId);
}

/** Without deleted ones, oldest first. */
export function pageOfHostNodes(db: Sql, hostId: string, { after, take }: PageRequest): Promise<NodeRow[]> {
  const sql = `SELECT ${columns} FROM lb_node WHERE host_id = ? AND state <> 'DELETED' AND id > ? ORDER BY id LIMIT ?`;
  return db.query<NodeRow>(sql, [hostId, after?.[0] ?? '', take]);
}

/** UUIDs of the nodes that a host has to remove. */
export async function nodesToDelete(db: Sql, hostId: string): Promise<readonly string[]> {
  const sql = "SELECT id FROM lb_node WHERE host_id = ? AND state = 'DELETING' ORDER BY id";
  return (await db.query<{ id: string }>(sql, [hostId])).map(({ id }) => id);
}

/** Without deleted ones; under the lock of the load balancer. */
export function lockNodes(tx: Transaction, balancerId: string): Promise<NodeRow[]> {
  const sql = `SELECT ${columns} FROM lb_node WHERE load_balancer_id = ? AND state <> 'DELETED' ORDER BY id FOR UPDATE`;
  return tx.query<NodeRow>(sql, [balancerId]);
}

export interface NodeEffect {
  readonly made: boolean;
  /** The load balancer's generation in effect. */
  readonly applied: number;
  readonly incarnation: string | null;
  readonly error: string | null;
}

/** What its host reports; the steps MADE and CONFIGURED follow from it. */
export async function reportNode(tx: Transaction, wake: Wake, node: NodeRow, effect: NodeEffect): Promise<void> {
  const made = effect.made && node.madeAt === null;
  const configured = effect.applied > 0 && node.configuredAt === null;
  await tx.execute(
    `UPDATE lb_node SET applied_generation = ?, incarnation = ?, reason = ?, made_at = IF(?, NOW(3), made_at),
      configured_at = IF(?, NOW(3), configured_at), version = version + 1 WHERE id = ?`,
    [effect.applied, effect.incarnation, effect.error, made, configured, node.id],
  );
  const subject = { projectId: node.projectId, subjectId: node.id, subjectVersion: node.version + 1 };
  const step = configured ? 'CONFIGURED' : made ? 'MADE' : undefined;
  if (step === undefined) return;
  const event = { ...subject, kind: 'loadBalancerNode.step', from: null, to: step } as const;
  await appendStatus(tx, loadBalancerEvents, [event], wake);
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
>;

/** With the event of its first step. */
export async function insertNode(tx: Transaction, wake: Wake, row: NewNode): Promise<void> {
  await tx.execute(
    `INSERT INTO lb_node (id, project_id, load_balancer_id, host_id, name, state, address, management_address, connections, threads,
      placed_at) VALUES (?, ?, ?, ?, ?, 'BUILDING', ?, ?, ?, ?, NOW(3))`,
    [
      ...[row.id, row.projectId, row.loadBalancerId, row.hostId, row.name],
      ...[row.address, row.managementAddress, row.connections, row.threads],
    ],
  );
  const subject = { projectId: row.projectId, subjectId: row.id, subjectVersion: 1 };
  const event = { ...subject, kind: 'loadBalancerNode.state', from: null, to: 'BUILDING' } as const;
  await appendStatus(tx, loadBalancerEvents, [event], wake);
}

export interface NodeStateChange {
  readonly state: NodeState;
  readonly reason?: string;
  /** When it is to be deleted. */
  readonly deleteInMs?: number;
}

export async function setNodeState(tx: Transaction, wake: Wake, node: NodeRow, change: NodeStateChange): Promise<void> {
  const { state, reason = null, deleteInMs } = change;
  const deleteAt = deleteInMs === undefined ? 'delete_at' : 'NOW(3) + INTERVAL ? MICROSECOND';
  await tx.execute(
    `UPDATE lb_node SET state = ?, reason = ?, delete_at = ${deleteAt}, wanted_version = wanted_version + 1, version = version + 1
    WHERE id = ?`,
    [state, reason, ...(deleteInMs === undefined ? [] : [deleteInMs * 1000]), node.id],
  );
  const subject = { projectId: node.projectId, subjectId: node.id, subjectVersion: node.version + 1 };
  const event = { ...subject, kind: 'loadBalancerNode.state', from: node.state, to: state, reason } as const;
  await appendStatus(tx, loadBalancerEvents, [event], wake);
}

/** The first free address; throws when all are taken. */
export async function takeAddress(
  tx: Transaction,
  scope: string,
  nodeId: string,
  candidates: Iterable<string>,
): Promise<string> {
  const rows = await tx.query<{ address: string }>('SELECT address FROM lb_address WHERE scope = ? FOR UPDATE', [
    scope,
  ]);
  const taken = new Set(rows.map(({ address }) => address));
  for (const address of candidates) {
    if (taken.has(address)) continue;
    await tx.execute('INSERT INTO lb_address (scope, address, node_id) VALUES (?, ?, ?)', [scope, address, nodeId]);
    return address;
  }
  throw new Error(`no address is free: ${taken.size} are taken`);
}
