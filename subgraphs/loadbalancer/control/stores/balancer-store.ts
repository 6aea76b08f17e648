// SQL of load balancers. Every change of a load balancer, its parts or its nodes locks the load balancer's row first.
import { randomBytes } from 'node:crypto';
import type { Sql, SqlValue, Transaction } from '../../../../platform/database/database.ts';
import { marksFor } from '../../../../platform/database/sql.ts';
import { appendStatus } from '../../../../platform/events/append.ts';
import { type CmpObjectKey, storedCmpObject } from '../../../../platform/pages/cmp-object.ts';
import type { Wake } from '../../../../platform/work/wake.ts';
import type { BalancerRow } from '../../rules/rows.ts';
import type { ProvisioningStatus } from '../../rules/states.ts';
import { loadBalancerEvents } from '../events.ts';
import { deleteAllParts } from './part-store.ts';

const columns = `id, project_id AS projectId, name, description, tags, cmp_namespace AS cmpNamespace, cmp_type AS cmpType, cmp_id AS
  cmpId, subnet_id AS subnetId, topology, enabled, min_nodes AS minNodes, max_nodes AS maxNodes, wanted_nodes AS wantedNodes,
  node_connections AS nodeConnections, node_threads AS nodeThreads, host_name AS hostName, cookie_key AS cookieKey, generation, provisioning_status AS
  provisioningStatus, provisioning_reason AS provisioningReason, pending_since AS pendingSince, operating_status AS operatingStatus,
  floating_address AS floatingAddress, floating_router_id AS floatingRouterId, version, settings_version AS settingsVersion,
  created_at AS createdAt, updated_at AS updatedAt`;

type Raw = Omit<BalancerRow, 'tags' | 'enabled'> & { readonly tags: string; readonly enabled: number };

function toRow(raw: Raw): BalancerRow {
  return { ...raw, tags: JSON.parse(raw.tags) as string[], enabled: raw.enabled === 1 };
}

/** `where`: the condition and everything after it. */
async function selectBalancers(db: Sql, where: string, values: readonly SqlValue[]): Promise<BalancerRow[]> {
  return (await db.query<Raw>(`SELECT ${columns} FROM lb_load_balancer WHERE ${where}`, values)).map(toRow);
}

/** Including deleted ones. */
export async function readBalancers(db: Sql, ids: readonly string[]): Promise<ReadonlyMap<string, BalancerRow>> {
  if (ids.length === 0) return new Map();
  return new Map((await selectBalancers(db, `id IN (${marksFor(ids)})`, ids)).map((row) => [row.id, row]));
}

/** Including deleted ones. */
export async function readBalancer(db: Sql, id: string): Promise<BalancerRow | undefined> {
  return (await readBalancers(db, [id])).get(id);
}

/** Including deleted ones. Nothing of the load balancer changes until the transaction ends. */
export async function lockBalancer(tx: Transaction, id: string): Promise<BalancerRow | undefined> {
  return (await selectBalancers(tx, 'id = ? FOR UPDATE', [id]))[0];
}

/** The fields of a load balancer's event that say what changed. It has the version after one more change. */
export function subjectOf(row: Pick<BalancerRow, 'id' | 'projectId' | 'version' | CmpColumn>) {
  const { id: subjectId, projectId, version } = row;
  return { projectId, subjectId, subjectVersion: version + 1, cmpObject: storedCmpObject(row) };
}

/** Of a load balancer, deleted or not. */
export async function cmpObjectOfBalancer(db: Sql, id: string): Promise<CmpObjectKey | null> {
  const [row] = await db.query<Pick<BalancerRow, CmpColumn>>(
    'SELECT cmp_namespace AS cmpNamespace, cmp_type AS cmpType, cmp_id AS cmpId FROM lb_load_balancer WHERE id = ?',
    [id],
  );
  return row === undefined ? null : storedCmpObject(row);
}

type CmpColumn = 'cmpNamespace' | 'cmpType' | 'cmpId';

export type NewBalancer = Omit<
  BalancerRow,
  | 'wantedNodes'
  | 'cookieKey'
  | 'generation'
  | 'provisioningStatus'
  | 'provisioningReason'
  | 'pendingSince'
  | 'operatingStatus'
  | 'floatingAddress'
  | 'floatingRouterId'
  | 'version'
  | 'settingsVersion'
  | 'createdAt'
  | 'updatedAt'
>;

export async function insertBalancer(tx: Transaction, row: NewBalancer): Promise<void> {
  await tx.execute(
    `INSERT INTO lb_load_balancer (id, project_id, name, live_name, description, tags, cmp_namespace, cmp_type, cmp_id, subnet_id,
      topology, enabled, min_nodes, max_nodes, wanted_nodes, node_connections, node_threads, host_name, cookie_key,
      provisioning_status, pending_since)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'PENDING', NOW(3))`,
    [
      ...[row.id, row.projectId, row.name, row.name, row.description, JSON.stringify(row.tags)],
      ...[row.cmpNamespace, row.cmpType, row.cmpId, row.subnetId, row.topology, row.enabled],
      ...[row.minNodes, row.maxNodes, row.minNodes, row.nodeConnections, row.nodeThreads, row.hostName],
      randomBytes(16).toString('hex'),
    ],
  );
}

/** Assigns the first free VRRP router id, or any if all 255 are used. */
export async function setFloating(
  tx: Transaction,
  id: string,
  address: string,
): Promise<Pick<BalancerRow, 'floatingRouterId'>> {
  const rows = await tx.query<{ id: number }>(
    'SELECT floating_router_id AS id FROM lb_load_balancer WHERE live_name IS NOT NULL AND floating_router_id IS NOT NULL',
  );
  const taken = new Set(rows.map((row) => row.id));
  const free = Array.from({ length: 255 }, (_, at) => at + 1).filter((each) => !taken.has(each));
  const floatingRouterId = free[0] ?? (Number.parseInt(id.slice(-2), 16) % 255) + 1;
  await tx.execute('UPDATE lb_load_balancer SET floating_address = ?, floating_router_id = ? WHERE id = ?', [
    ...[address, floatingRouterId, id],
  ]);
  return { floatingRouterId };
}

/** Fields that users may change. */
export type BalancerSettings = Pick<
  BalancerRow,
  'description' | 'tags' | 'enabled' | 'minNodes' | 'maxNodes' | 'wantedNodes' | 'nodeConnections' | 'nodeThreads'
>;

export async function updateBalancer(tx: Transaction, id: string, row: BalancerSettings): Promise<void> {
  await tx.execute(
    `UPDATE lb_load_balancer SET description = ?, tags = ?, enabled = ?, min_nodes = ?, max_nodes = ?, wanted_nodes = ?,
      node_connections = ?, node_threads = ?, settings_version = version + 1 WHERE id = ?`,
    [
      ...[row.description, JSON.stringify(row.tags), row.enabled, row.minNodes, row.maxNodes, row.wantedNodes],
      ...[row.nodeConnections, row.nodeThreads, id],
    ],
  );
}

/** Starts the next generation, which is not in effect yet. An earlier one that is late stays late. */
export async function beginGeneration(tx: Transaction, id: string, generation: number): Promise<void> {
  await tx.execute(
    `UPDATE lb_load_balancer SET generation = ?, version = version + 1,
      provisioning_status = IF(provisioning_status = 'ACTIVE', 'PENDING', provisioning_status),
      pending_since = COALESCE(pending_since, NOW(3)) WHERE id = ?`,
    [generation, id],
  );
}

/** Emits an event if the status changes. */
export async function setProvisioning(
  tx: Transaction,
  wake: Wake,
  row: BalancerRow,
  to: { readonly status: ProvisioningStatus; readonly reason: string | null },
): Promise<void> {
  await tx.execute(
    `UPDATE lb_load_balancer SET provisioning_status = ?, provisioning_reason = ?, version = version + 1,
      pending_since = IF(? IN ('ACTIVE', 'DELETED'), NULL, COALESCE(pending_since, NOW(3))),
      live_name = IF(? = 'DELETED', NULL, live_name), deleted_at = IF(? = 'DELETED', NOW(3), deleted_at) WHERE id = ?`,
    [to.status, to.reason, to.status, to.status, to.status, row.id],
  );
  if (to.status === 'DELETED') await deleteAllParts(tx, row.id);
  if (to.status === row.provisioningStatus) return;
  const subject = subjectOf(row);
  const change = { from: row.provisioningStatus, to: to.status, reason: to.reason };
  await appendStatus(
    tx,
    loadBalancerEvents,
    [{ ...subject, kind: 'loadBalancer.provisioningStatus', ...change }],
    wake,
  );
}
