// SQL of load balancer hosts: written when a host connects, and by administrators.
import type { Database, Sql, Transaction } from '../../../platform/database/database.ts';
import { marksFor } from '../../../platform/database/sql.ts';
import { appendStatus } from '../../../platform/events/append.ts';
import type { PageRequest } from '../../../platform/graph/connection.ts';
import type { MachineName } from '../../../platform/machines/machine.ts';
import type { Wake } from '../../../platform/wake.ts';
import { loadBalancerEvents } from '../events.ts';
import type { HostStatus } from '../model/states.ts';
import { keepAddresses } from './address-store.ts';

export interface HostRow {
  /** UUID of the machine that joined. */
  readonly id: string;
  readonly name: string;
  readonly site: string | null;
  readonly provider: 'NETNS' | 'LOOPBACK';
  readonly cordoned: boolean;
  /** It is gone for good: its row goes once its last node has. */
  readonly removing: boolean;
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

const columns = `id, name, site, provider, cordoned, removing, status, seen_at AS seenAt, public_range AS publicRange, management_range AS
  managementRange, tunnel_address AS tunnelAddress, max_nodes AS maxNodes, health_port AS healthPort, epoch, version`;

type Flags = 'cordoned' | 'removing';
type Raw = Omit<HostRow, Flags> & Readonly<Record<Flags, number>>;

function toRow(raw: Raw): HostRow {
  return { ...raw, cordoned: raw.cordoned === 1, removing: raw.removing === 1 };
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

/** It is gone for good: it gets no new nodes, and ends with its last one. */
export async function beginRemoval(tx: Transaction, id: string): Promise<void> {
  await tx.execute('UPDATE lb_host SET cordoned = 1, removing = 1, version = version + 1 WHERE id = ?', [id]);
}

/** UUIDs of those that are removed and have no node left. */
export async function removedHosts(db: Sql): Promise<readonly string[]> {
  const rows = await db.query<{ id: string }>(
    `SELECT id FROM lb_host WHERE removing = 1 AND NOT EXISTS (SELECT 1 FROM lb_node WHERE host_id = lb_host.id AND state <> 'DELETED')
    ORDER BY id LIMIT 100`,
  );
  return rows.map(({ id }) => id);
}

/** A node that a reconciler still placed there counts as one of a host that is gone. */
export async function endHost(tx: Transaction, wake: Wake, id: string): Promise<void> {
  const row = await lockHost(tx, id);
  if (row === undefined) return;
  await tx.execute('DELETE FROM lb_host WHERE id = ?', [id]);
  await keepAddresses(tx, id);
  await appendHostChange(tx, wake, row, 'removed');
}

/** The version of the event is that after one more change. */
export async function appendHostChange(tx: Transaction, wake: Wake, row: HostRow, reason: string): Promise<void> {
  const subject = { projectId: null, subjectId: row.id, subjectVersion: row.version + 1 };
  const event = { ...subject, kind: 'loadBalancerHost.changed', from: row.status, to: row.status, reason } as const;
  await appendStatus(tx, loadBalancerEvents, [event], wake);
}

const offered = [
  ...(['site', 'provider', 'publicRange', 'managementRange', 'tunnelAddress', 'maxNodes', 'healthPort'] as const),
];

/** What a host says of itself when it connects. */
export type HostOffer = Pick<HostRow, (typeof offered)[number]>;

/** Records the host's connection; the connections before count no more. Throws when it can't be a host now. */
export async function beginEpoch(
  tx: Transaction,
  wake: Wake,
  machine: Pick<MachineName, 'id' | 'name'>,
  offer: HostOffer,
): Promise<HostRow> {
  const known = await tx.query<Raw>(`SELECT ${columns} FROM lb_host WHERE id = ? OR name = ? FOR UPDATE`, [
    ...[machine.id, machine.name],
  ]);
  if (known.some(({ id }) => id !== machine.id))
    throw new Error(
      `another machine was the host ${machine.name}: if that is gone for good, remove it with tidegate hosts delete ${machine.name}`,
    );
  const [before] = known.map(toRow);
  if (before?.removing)
    throw new Error(`the host ${machine.name} is being removed: it can be a new host once its last node is deleted`);
  const values = offered.map((name) => offer[name]);
  if (before === undefined) {
    // After a removal its epochs go on above the earlier ones.
    await tx.execute(
      `INSERT INTO lb_host (id, name, status, epoch, version, site, provider, public_range, management_range, tunnel_address, max_nodes,
        health_port) VALUES (?, ?, 'OFFLINE', UNIX_TIMESTAMP(), 0, ?, ?, ?, ?, ?, ?, ?)`,
      [machine.id, machine.name, ...values],
    );
    await setStatus(tx, wake, { id: machine.id, status: null, version: 0 }, 'ONLINE');
  } else {
    await tx.execute(
      `UPDATE lb_host SET site = ?, provider = ?, public_range = ?, management_range = ?, tunnel_address = ?, max_nodes = ?,
        health_port = ?, epoch = epoch + 1, seen_at = NOW(3) WHERE id = ?`,
      [...values, machine.id],
    );
    if (before.status !== 'ONLINE') await setStatus(tx, wake, before, 'ONLINE');
    else if (offered.some((name) => before[name] !== offer[name])) {
      await tx.execute('UPDATE lb_host SET version = version + 1 WHERE id = ?', [machine.id]);
      await appendHostChange(tx, wake, before, 'it connected with other settings');
    }
  }
  const row = await lockHost(tx, machine.id);
  if (row === undefined) throw new Error(`the host ${machine.name} was not recorded`);
  return row;
}

/** `status` of the row null: it is new. */
async function setStatus(
  tx: Transaction,
  wake: Wake,
  row: Pick<HostRow, 'id' | 'version'> & { readonly status: HostStatus | null },
  to: HostStatus,
): Promise<void> {
  await tx.execute('UPDATE lb_host SET status = ?, seen_at = NOW(3), version = version + 1 WHERE id = ?', [to, row.id]);
  const subject = { projectId: null, subjectId: row.id, subjectVersion: row.version + 1 };
  const event = { ...subject, kind: 'loadBalancerHost.status', from: row.status, to } as const;
  await appendStatus(tx, loadBalancerEvents, [event], wake);
}

/** Unless the host has a newer connection. */
export async function endEpoch(
  tx: Transaction,
  wake: Wake,
  { id, epoch }: Pick<HostRow, 'id' | 'epoch'>,
): Promise<void> {
  const row = await lockHost(tx, id);
  if (row?.epoch !== epoch || row.status === 'OFFLINE') return;
  await setStatus(tx, wake, row, 'OFFLINE');
}

/** The connection stands. One that was taken for ended, because nobody could write that, counts again. */
export async function confirmEpoch(
  db: Database,
  wake: Wake,
  { id, epoch }: Pick<HostRow, 'id' | 'epoch'>,
): Promise<void> {
  const sql = "UPDATE lb_host SET seen_at = NOW(3) WHERE id = ? AND epoch = ? AND status = 'ONLINE'";
  if ((await db.execute(sql, [id, epoch])).affectedRows > 0) return;
  await db.transaction(async (tx) => {
    const row = await lockHost(tx, id);
    if (row?.epoch !== epoch || row.status === 'ONLINE' || row.removing) return;
    await setStatus(tx, wake, row, 'ONLINE');
  });
}

/** Those with a connection. */
export async function onlineHosts(db: Sql): Promise<readonly Pick<HostRow, 'id' | 'name' | 'epoch' | 'seenAt'>[]> {
  return db.query("SELECT id, name, epoch, seen_at AS seenAt FROM lb_host WHERE status = 'ONLINE' LIMIT 1000");
}

/** Those without a connection: since when. Hosts that are removed have never had one. */
export async function offlineHosts(db: Sql, ids: readonly string[]): Promise<ReadonlyMap<string, Date>> {
  const hosts = await readHosts(db, ids);
  const since = new Map<string, Date>();
  for (const id of ids) {
    const host = hosts.get(id);
    if (host === undefined || host.removing) since.set(id, new Date(0));
    else if (host.status === 'OFFLINE') since.set(id, host.seenAt);
  }
  return since;
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

/** Load balancers with nodes on a host, in the order in which they are locked. */
export async function balancersOnHost(db: Sql, hostId: string): Promise<readonly string[]> {
  const rows = await db.query<{ id: string }>(
    "SELECT DISTINCT load_balancer_id AS id FROM lb_node WHERE host_id = ? AND state <> 'DELETED' ORDER BY load_balancer_id",
    [hostId],
  );
  return rows.map(({ id }) => id);
}

/** The name of a load balancer with nodes on the host, of which none serves elsewhere; undefined: there is none. */
export async function balancerOnlyOn(db: Sql, hostId: string): Promise<string | undefined> {
  const [row] = await db.query<{ name: string }>(
    `SELECT name FROM lb_load_balancer b WHERE provisioning_status NOT IN ('DELETING', 'DELETED')
      AND EXISTS (SELECT 1 FROM lb_node WHERE load_balancer_id = b.id AND host_id = ? AND state <> 'DELETED')
      AND NOT EXISTS (SELECT 1 FROM lb_node WHERE load_balancer_id = b.id AND host_id <> ? AND state = 'SERVING'
        AND operating_status <> 'ERROR' AND given_up = 0) ORDER BY name LIMIT 1`,
    [hostId, hostId],
  );
  return row?.name;
}

/** Nodes on a host that serve, as far as the health checks know. */
export async function countServing(db: Sql, hostId: string): Promise<number> {
  const [row] = await db.query<{ count: number }>(
    `SELECT COUNT(*) AS count FROM lb_node WHERE host_id = ? AND state = 'SERVING' AND operating_status <> 'ERROR' AND given_up = 0`,
    [hostId],
  );
  return Number(row?.count ?? 0);
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
