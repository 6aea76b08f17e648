// SQL of load balancer hosts: written when a host connects, and by administrators.
import type { Sql, Transaction } from '../../../platform/database/database.ts';
import { marksFor } from '../../../platform/database/sql.ts';
import { appendStatus } from '../../../platform/events/append.ts';
import type { PageRequest } from '../../../platform/graph/connection.ts';
import type { MachineName } from '../../../platform/machines/machine.ts';
import type { Wake } from '../../../platform/wake.ts';
import { loadBalancerEvents } from '../events.ts';
import type { HostStatus } from '../model/states.ts';

export interface HostRow {
  /** UUID of the machine that joined. */
  readonly id: string;
  readonly name: string;
  readonly site: string | null;
  readonly provider: 'NETNS' | 'LOOPBACK';
  readonly cordoned: boolean;
  readonly status: HostStatus;
  readonly seenAt: Date;
  readonly publicRange: string;
  readonly managementRange: string;
  readonly tunnelAddress: string | null;
  readonly maxNodes: number;
  /** Where nodes answer health checks. */
  readonly healthPort: number;
  readonly epoch: number;
  readonly version: number;
}

const columns = `id, name, site, provider, cordoned, status, seen_at AS seenAt, public_range AS publicRange, management_range AS
  managementRange, tunnel_address AS tunnelAddress, max_nodes AS maxNodes, health_port AS healthPort, epoch, version`;

type Raw = Omit<HostRow, 'cordoned'> & { readonly cordoned: number };

function toRow(raw: Raw): HostRow {
  return { ...raw, cordoned: raw.cordoned === 1 };
}

export async function readHosts(db: Sql, ids: readonly string[]): Promise<ReadonlyMap<string, HostRow>> {
  if (ids.length === 0) return new Map();
  const rows = await db.query<Raw>(`SELECT ${columns} FROM lb_host WHERE id IN (${marksFor(ids)})`, ids);
  return new Map(rows.map((raw) => [raw.id, toRow(raw)]));
}

/** By name. */
export async function pageOfHosts(db: Sql, { after, take }: PageRequest): Promise<HostRow[]> {
  const sql = `SELECT ${columns} FROM lb_host WHERE name > ? ORDER BY name LIMIT ?`;
  return (await db.query<Raw>(sql, [after?.[0] ?? '', take])).map(toRow);
}

export async function lockHost(tx: Transaction, id: string): Promise<HostRow | undefined> {
  const [raw] = await tx.query<Raw>(`SELECT ${columns} FROM lb_host WHERE id = ? FOR UPDATE`, [id]);
  return raw === undefined ? undefined : toRow(raw);
}

/** Number of nodes that are not deleted, by host. */
export async function countNodes(db: Sql, hostIds: readonly string[]): Promise<ReadonlyMap<string, number>> {
  if (hostIds.length === 0) return new Map();
  const rows = await db.query<{ hostId: string; count: number }>(
    `SELECT host_id AS hostId, CAST(COUNT(*) AS INT) AS count FROM lb_node WHERE host_id IN (${marksFor(hostIds)}) AND state <> 'DELETED'
    GROUP BY host_id`,
    hostIds,
  );
  return new Map(rows.map(({ hostId, count }) => [hostId, Number(count)]));
}

export async function cordonHost(tx: Transaction, id: string, cordoned: boolean): Promise<void> {
  await tx.execute('UPDATE lb_host SET cordoned = ?, version = version + 1 WHERE id = ?', [cordoned, id]);
}

/** What a host says of itself when it connects. */
export type HostOffer = Pick<
  HostRow,
  'site' | 'provider' | 'publicRange' | 'managementRange' | 'tunnelAddress' | 'maxNodes' | 'healthPort'
>;

/** Records the host's connection; the connections before count no more. */
export async function beginEpoch(
  tx: Transaction,
  wake: Wake,
  machine: Pick<MachineName, 'id' | 'name'>,
  offer: HostOffer,
): Promise<HostRow> {
  await tx.execute(
    `INSERT INTO lb_host (id, name, site, provider, status, public_range, management_range, tunnel_address, max_nodes, health_port, epoch)
    VALUES (?, ?, ?, ?, 'ONLINE', ?, ?, ?, ?, ?, 1)
    ON DUPLICATE KEY UPDATE site = VALUES(site), provider = VALUES(provider), public_range = VALUES(public_range), management_range =
      VALUES(management_range), tunnel_address = VALUES(tunnel_address), max_nodes = VALUES(max_nodes), health_port = VALUES(health_port),
      epoch = epoch + 1, seen_at = NOW(3), version = version + IF(status = 'ONLINE', 0, 1), status = 'ONLINE'`,
    [
      ...[machine.id, machine.name, offer.site, offer.provider, offer.publicRange, offer.managementRange],
      ...[offer.tunnelAddress, offer.maxNodes, offer.healthPort],
    ],
  );
  const row = await lockHost(tx, machine.id);
  if (row === undefined) throw new Error(`the host ${machine.name} was not recorded`);
  const subject = { projectId: null, subjectId: row.id, subjectVersion: row.version };
  await appendStatus(
    tx,
    loadBalancerEvents,
    [{ ...subject, kind: 'loadBalancerHost.status', from: null, to: 'ONLINE' }],
    wake,
  );
  return row;
}

/** Unless the host has a newer connection. */
export async function endEpoch(
  tx: Transaction,
  wake: Wake,
  { id, epoch }: Pick<HostRow, 'id' | 'epoch'>,
): Promise<void> {
  const row = await lockHost(tx, id);
  if (row?.epoch !== epoch || row.status === 'OFFLINE') return;
  await tx.execute("UPDATE lb_host SET status = 'OFFLINE', seen_at = NOW(3), version = version + 1 WHERE id = ?", [id]);
  const subject = { projectId: null, subjectId: id, subjectVersion: row.version + 1 };
  const event = { ...subject, kind: 'loadBalancerHost.status', from: 'ONLINE', to: 'OFFLINE' } as const;
  await appendStatus(tx, loadBalancerEvents, [event], wake);
}

/** Those without a connection: since when. */
export async function offlineHosts(db: Sql, ids: readonly string[]): Promise<ReadonlyMap<string, Date>> {
  if (ids.length === 0) return new Map();
  const sql = `SELECT id, seen_at AS seenAt FROM lb_host WHERE status = 'OFFLINE' AND id IN (${marksFor(ids)})`;
  const rows = await db.query<Pick<HostRow, 'id' | 'seenAt'>>(sql, ids);
  return new Map(rows.map(({ id, seenAt }) => [id, seenAt]));
}

/** Those with nodes that are down, or were replaced a minute ago and are down since. */
export async function suspectHosts(db: Sql, ids: readonly string[]): Promise<ReadonlySet<string>> {
  if (ids.length === 0) return new Set();
  const rows = await db.query<{ hostId: string }>(
    `SELECT DISTINCT host_id AS hostId FROM lb_node WHERE host_id IN (${marksFor(ids)}) AND
      (operating_status = 'ERROR' OR given_up = 1) AND (state = 'SERVING' OR state = 'REPLACED' AND down_since > NOW(3) - INTERVAL 1 MINUTE)`,
    ids,
  );
  return new Set(rows.map(({ hostId }) => hostId));
}

/** Load balancers with nodes on a host, in the order in which they are locked. Those that are being deleted need no other nodes. */
export async function balancersOnHost(db: Sql, hostId: string): Promise<readonly string[]> {
  const rows = await db.query<{ id: string }>(
    `SELECT DISTINCT b.id FROM lb_node n JOIN lb_load_balancer b ON b.id = n.load_balancer_id
    WHERE n.host_id = ? AND n.state IN ('BUILDING', 'SERVING', 'REPLACED') AND b.provisioning_status <> 'DELETING' ORDER BY b.id`,
    [hostId],
  );
  return rows.map(({ id }) => id);
}

/** Connected ones that take nodes. */
export async function openHosts(db: Sql): Promise<readonly HostRow[]> {
  const sql = `SELECT ${columns} FROM lb_host WHERE status = 'ONLINE' AND cordoned = 0 ORDER BY id LIMIT 1000`;
  return (await db.query<Raw>(sql)).map(toRow);
}

export interface HostNetworks {
  /** Management and public ranges of all hosts. */
  readonly ranges: readonly string[];
  /** Whether nodes are in the network of their host, not in one of their own. */
  readonly shared: boolean;
  /** Ports at which nodes answer health checks on the very address that clients use. */
  readonly takenPorts: readonly number[];
}

export async function hostNetworks(db: Sql): Promise<HostNetworks> {
  const rows = await db.query<{ publicRange: string; managementRange: string; provider: string; healthPort: number }>(
    'SELECT DISTINCT public_range AS publicRange, management_range AS managementRange, provider, health_port AS healthPort FROM lb_host',
  );
  return {
    ranges: [...new Set(rows.flatMap(({ publicRange, managementRange }) => [publicRange, managementRange]))],
    shared: rows.length === 0 || rows.some(({ provider }) => provider !== 'NETNS'),
    takenPorts: rows.filter((row) => row.publicRange === row.managementRange).map(({ healthPort }) => healthPort),
  };
}
