// SQL of load balancer hosts: written when a host connects, and by administrators.
import { isDeepStrictEqual } from 'node:util';
import type { Database, Sql, Transaction } from '../../../../platform/database/database.ts';
import { marksFor } from '../../../../platform/database/sql.ts';
import { appendStatus } from '../../../../platform/events/append.ts';
import { absenceReason, appendPresence } from '../../../../platform/events/presence.ts';
import {
  type HostRecord,
  holdBack,
  hostRecordsOf,
  isReleased,
  setHostRecord,
} from '../../../../platform/machines/host-record.ts';
import type { MachineName } from '../../../../platform/machines/machine.ts';
import type { Wake } from '../../../../platform/work/wake.ts';
import { grantOf, type HostClaim, type HostGrant } from '../../rules/host-grant.ts';
import type { HostPresence } from '../../rules/states.ts';
import { loadBalancerEvents } from '../events.ts';
import { keepAddresses } from './address-store.ts';

export interface HostRow {
  /** UUID of the enrolled machine. */
  readonly id: string;
  readonly name: string;
  readonly cordoned: boolean;
  /** It is gone for good: its row is deleted with its last node. */
  readonly removing: boolean;
  readonly presence: HostPresence;
  readonly heardAt: Date;
  readonly epoch: number;
  readonly version: number;
  /** Its version after the last change of its settings. */
  readonly settingsVersion: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  /** Its own report when it connected. Use `grantOf`: the report alone counts for nothing. */
  readonly claim: HostClaim;
  /** What administrators gave it. Null if nothing yet. */
  readonly record: HostRecord | null;
}

/** A host that takes nodes, with its resources for them. */
export interface OpenHost extends HostRow, HostGrant {}

const claimed = [
  ...(['site', 'provider', 'publicRange', 'managementRange', 'tunnelAddress'] as const),
  ...(['maxNodes', 'healthPort', 'confinementFault'] as const),
];

const columns = `id, name, cordoned, removing, presence, heard_at AS heardAt, epoch, version, settings_version AS settingsVersion, created_at AS createdAt, updated_at AS updatedAt, site, provider, public_range AS publicRange,
  management_range AS managementRange, tunnel_address AS tunnelAddress, max_nodes AS maxNodes, health_port AS healthPort,
  confinement_fault AS confinementFault`;

type Flags = 'cordoned' | 'removing';
type Raw = Omit<HostRow, Flags | 'claim' | 'record'> & Readonly<Record<Flags, number>> & HostClaim;

async function toRows(sql: Sql, raws: readonly Raw[], options: { readonly lock?: boolean } = {}): Promise<HostRow[]> {
  const ids = raws.map(({ id }) => id);
  const records = await hostRecordsOf(sql, ids, options);
  return raws.map((raw) => {
    const { id, name, presence, heardAt, epoch, version, settingsVersion, createdAt, updatedAt } = raw;
    const { site, provider, publicRange, managementRange, tunnelAddress, maxNodes, healthPort, confinementFault } = raw;
    return {
      ...{ id, name, presence, heardAt, epoch, version, settingsVersion, createdAt, updatedAt },
      ...{ cordoned: raw.cordoned === 1, removing: raw.removing === 1 },
      claim: { site, provider, publicRange, managementRange, tunnelAddress, maxNodes, healthPort, confinementFault },
      record: records.get(id) ?? null,
    };
  });
}

export async function readHosts(db: Sql, ids: readonly string[]): Promise<ReadonlyMap<string, HostRow>> {
  if (ids.length === 0) return new Map();
  const raws = await db.query<Raw>(`SELECT ${columns} FROM lb_host WHERE id IN (${marksFor(ids)})`, ids);
  return new Map((await toRows(db, raws)).map((row) => [row.id, row]));
}

export async function lockHost(tx: Transaction, id: string): Promise<HostRow | undefined> {
  const raws = await tx.query<Raw>(`SELECT ${columns} FROM lb_host WHERE id = ? FOR UPDATE`, [id]);
  return (await toRows(tx, raws, { lock: true }))[0];
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
  await tx.execute(
    'UPDATE lb_host SET cordoned = ?, settings_version = version + 1, version = version + 1, updated_at = NOW(3) WHERE id = ?',
    [cordoned, id],
  );
}

/** Marks it as gone for good: it gets no new nodes, and is deleted with its last one. */
export async function beginRemoval(tx: Transaction, id: string): Promise<void> {
  await tx.execute(
    'UPDATE lb_host SET cordoned = 1, removing = 1, settings_version = version + 1, version = version + 1, updated_at = NOW(3) WHERE id = ?',
    [id],
  );
}

/** UUIDs of removed hosts without nodes. */
export async function removedHosts(db: Sql): Promise<readonly string[]> {
  const rows = await db.query<{ id: string }>(
    `SELECT id FROM lb_host WHERE removing = 1 AND NOT EXISTS (SELECT 1 FROM lb_node WHERE host_id = lb_host.id AND state <> 'DELETED')
    ORDER BY id LIMIT 100`,
  );
  return rows.map(({ id }) => id);
}

/** A node that a concurrent reconciler still placed there counts as one of a lost host. */
export async function endHost(tx: Transaction, wake: Wake, id: string): Promise<void> {
  const row = await lockHost(tx, id);
  if (row === undefined) return;
  await tx.execute('DELETE FROM lb_host WHERE id = ?', [id]);
  await keepAddresses(tx, id);
  await holdBack(tx, id);
  await appendHostChange(tx, wake, row, 'removed');
}

/** The event has the version after one more change. */
export async function appendHostChange(tx: Transaction, wake: Wake, row: HostRow, reason: string): Promise<void> {
  const { id: subjectId, name: subjectName } = row;
  const subject = { projectId: null, subjectId, subjectName, subjectVersion: row.version + 1 };
  const event = { ...subject, kind: 'loadBalancerHost.changed', from: row.presence, to: row.presence, reason } as const;
  await appendStatus(tx, loadBalancerEvents, [event], wake);
}

/** Records the host's connection; earlier connections no longer count. A new host is cordoned. Throws if it can't be a host now. */
export async function beginEpoch(
  tx: Transaction,
  wake: Wake,
  machine: Pick<MachineName, 'id' | 'name'>,
  claim: HostClaim,
): Promise<HostRow> {
  const known = await tx.query<Raw>(`SELECT ${columns} FROM lb_host WHERE id = ? OR name = ? FOR UPDATE`, [
    ...[machine.id, machine.name],
  ]);
  if (known.some(({ id }) => id !== machine.id))
    throw new Error(
      `another machine was the host ${machine.name}: if that machine is gone for good, remove it with tidegate hosts delete ${machine.name}`,
    );
  const [before] = await toRows(tx, known);
  if (before?.removing)
    throw new Error(
      `the host ${machine.name} is being removed: it can become a new host after its last node is deleted`,
    );
  const values = claimed.map((name) => claim[name]);
  if (before === undefined) {
    const cordoned = !(await isReleased(tx, machine.id));
    // After a removal its epochs continue above the earlier ones.
    await tx.execute(
      `INSERT INTO lb_host (id, name, cordoned, presence, epoch, version, site, provider, public_range, management_range, tunnel_address,
        max_nodes, health_port, confinement_fault) VALUES (?, ?, ?, 'ABSENT', UNIX_TIMESTAMP(), 0, ?, ?, ?, ?, ?, ?, ?, ?)`,
      [machine.id, machine.name, cordoned, ...values],
    );
    await setPresence(tx, wake, { id: machine.id, name: machine.name, presence: null, version: 0 }, 'PRESENT');
  } else {
    await tx.execute(
      `UPDATE lb_host SET site = ?, provider = ?, public_range = ?, management_range = ?, tunnel_address = ?, max_nodes = ?,
        health_port = ?, confinement_fault = ?, epoch = epoch + 1, heard_at = NOW(3) WHERE id = ?`,
      [...values, machine.id],
    );
    if (before.presence !== 'PRESENT') await setPresence(tx, wake, before, 'PRESENT');
    else if (claimed.some((name) => before.claim[name] !== claim[name])) {
      await tx.execute('UPDATE lb_host SET version = version + 1, updated_at = NOW(3) WHERE id = ?', [machine.id]);
      await appendHostChange(tx, wake, before, 'it connected with other settings');
    }
  }
  const row = await lockHost(tx, machine.id);
  if (row === undefined) throw new Error(`the host ${machine.name} was not recorded`);
  return row;
}

/** `presence` is null in the row of a new host. */
async function setPresence(
  tx: Transaction,
  wake: Wake,
  row: Pick<HostRow, 'id' | 'name' | 'version'> &
    Partial<Pick<HostRow, 'heardAt'>> & { readonly presence: HostPresence | null },
  to: HostPresence,
): Promise<void> {
  await tx.execute(
    'UPDATE lb_host SET presence = ?, heard_at = NOW(3), version = version + 1, updated_at = NOW(3) WHERE id = ?',
    [to, row.id],
  );
  const subject = { projectId: null, subjectId: row.id, subjectVersion: row.version + 1 };
  const reason = to === 'ABSENT' ? absenceReason(row.name, row.heardAt ?? null) : row.name;
  const change = {
    ...subject,
    kind: 'loadBalancerHost.presence',
    from: row.presence,
    to,
    name: row.name,
    reason,
  } as const;
  await appendPresence(tx, loadBalancerEvents, change, wake);
}

/** Does nothing if the host has a newer connection. */
export async function endEpoch(
  tx: Transaction,
  wake: Wake,
  { id, epoch }: Pick<HostRow, 'id' | 'epoch'>,
): Promise<void> {
  const row = await lockHost(tx, id);
  if (row?.epoch !== epoch || row.presence === 'ABSENT') return;
  await setPresence(tx, wake, row, 'ABSENT');
}

/** Confirms the connection. One that counted as ended, because it could not be confirmed in time, counts again. */
export async function confirmEpoch(
  db: Database,
  wake: Wake,
  { id, epoch }: Pick<HostRow, 'id' | 'epoch'>,
): Promise<void> {
  const sql = "UPDATE lb_host SET heard_at = NOW(3) WHERE id = ? AND epoch = ? AND presence = 'PRESENT'";
  if ((await db.execute(sql, [id, epoch])).affectedRows > 0) return;
  await db.transaction(async (tx) => {
    const row = await lockHost(tx, id);
    if (row?.epoch !== epoch || row.presence === 'PRESENT' || row.removing) return;
    await setPresence(tx, wake, row, 'PRESENT');
  });
}

/** Hosts with a connection. */
export async function onlineHosts(db: Sql): Promise<readonly Pick<HostRow, 'id' | 'name' | 'epoch' | 'heardAt'>[]> {
  return db.query("SELECT id, name, epoch, heard_at AS heardAt FROM lb_host WHERE presence = 'PRESENT' LIMIT 1000");
}

/** Hosts without a connection, with the time since when. Removed hosts have none. */
export async function offlineHosts(db: Sql, ids: readonly string[]): Promise<ReadonlyMap<string, Date>> {
  const hosts = await readHosts(db, ids);
  const since = new Map<string, Date>();
  for (const id of ids) {
    const host = hosts.get(id);
    if (host === undefined || host.removing) since.set(id, new Date(0));
    else if (host.presence === 'ABSENT') since.set(id, host.heardAt);
  }
  return since;
}

/** Hosts with nodes that are down, or that were replaced in the last minute and are still down. */
export async function suspectHosts(db: Sql, ids: readonly string[]): Promise<ReadonlySet<string>> {
  if (ids.length === 0) return new Set();
  const rows = await db.query<{ hostId: string }>(
    `SELECT DISTINCT host_id AS hostId FROM lb_node WHERE host_id IN (${marksFor(ids)}) AND
      (operating_status = 'ERROR' OR given_up = 1) AND (state = 'SERVING' OR state = 'REPLACED' AND down_since > NOW(3) - INTERVAL 1 MINUTE)`,
    ids,
  );
  return new Set(rows.map(({ hostId }) => hostId));
}

interface AbsentHost extends Pick<HostRow, 'id' | 'name' | 'heardAt'> {
  readonly nodeCount: number;
}

/** Those that do not report, the longest first. One that is being removed is gone on purpose. */
export async function absentHosts(db: Sql): Promise<readonly AbsentHost[]> {
  const rows = await db.query<AbsentHost>(
    `SELECT h.id, h.name, h.heard_at AS heardAt,
      (SELECT COUNT(*) FROM lb_node n WHERE n.host_id = h.id AND n.state <> 'DELETED') AS nodeCount
      FROM lb_host h WHERE h.presence = 'ABSENT' AND h.removing = 0 ORDER BY h.heard_at, h.id LIMIT 1000`,
  );
  return rows.map((row) => ({ ...row, nodeCount: Number(row.nodeCount) }));
}

/** Load balancers with nodes on a host, in locking order. */
export async function balancersOnHost(db: Sql, hostId: string): Promise<readonly string[]> {
  const rows = await db.query<{ id: string }>(
    "SELECT DISTINCT load_balancer_id AS id FROM lb_node WHERE host_id = ? AND state <> 'DELETED' ORDER BY load_balancer_id",
    [hostId],
  );
  return rows.map(({ id }) => id);
}

/** The name of a load balancer with nodes on the host and no serving node elsewhere. Undefined if there is none. */
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

/** Number of nodes on a host that serve, according to the health checks. */
export async function countServing(db: Sql, hostId: string): Promise<number> {
  const [row] = await db.query<{ count: number }>(
    `SELECT COUNT(*) AS count FROM lb_node WHERE host_id = ? AND state = 'SERVING' AND operating_status <> 'ERROR' AND given_up = 0`,
    [hostId],
  );
  return Number(row?.count ?? 0);
}

/** Connected hosts that take nodes. */
export async function openHosts(db: Sql): Promise<readonly OpenHost[]> {
  const sql = `SELECT ${columns} FROM lb_host WHERE presence = 'PRESENT' AND cordoned = 0 ORDER BY id LIMIT 1000`;
  return (await toRows(db, await db.query<Raw>(sql))).flatMap((host) => {
    const grant = grantOf(host);
    return grant === undefined ? [] : [{ ...host, ...grant }];
  });
}

/** Changes its networks or its room. Its nodes stay as they are. */
export async function giveHost(tx: Transaction, wake: Wake, row: HostRow, record: HostRecord): Promise<void> {
  if (isDeepStrictEqual(row.record, record)) return;
  await setHostRecord(tx, row.id, record);
  await tx.execute(
    'UPDATE lb_host SET settings_version = version + 1, version = version + 1, updated_at = NOW(3) WHERE id = ?',
    [row.id],
  );
  await appendHostChange(tx, wake, row, 'its record was changed');
}

/** Known hosts by name, and machines that become hosts as soon as they connect. A removed host has no ranges any more. */
export async function holdersOfRanges(
  tx: Transaction,
  machines: readonly { readonly id: string; readonly released: boolean }[],
): Promise<ReadonlyMap<string, string>> {
  const ids = machines.map(({ id }) => id);
  const hosts = await tx.query<{ id: string; name: string }>(
    `SELECT id, name FROM lb_host WHERE id IN (${marksFor(ids)})`,
    ids,
  );
  const invited = machines.filter(({ released }) => released);
  return new Map([...invited.map(({ id }) => [id, id] as const), ...hosts.map(({ id, name }) => [id, name] as const)]);
}

interface HostNetworks {
  /** Management and public ranges that administrators gave to hosts. */
  readonly ranges: readonly string[];
  /** Ports at which nodes answer health checks on the address that clients use. */
  readonly takenPorts: readonly number[];
}

/** For all projects: from the records of known hosts, never from their own reports. */
export async function hostNetworks(db: Sql): Promise<HostNetworks> {
  const known = await db.query<{ id: string }>('SELECT id FROM lb_host LIMIT 10000');
  const ids = known.map(({ id }) => id);
  const rows = [...(await hostRecordsOf(db, ids)).values()];
  const ranges = rows.flatMap(({ publicRange, managementRange }) => [publicRange, managementRange ?? publicRange]);
  return {
    ranges: [...new Set(ranges)],
    takenPorts: [...new Set(rows.filter((row) => row.managementRange === null).map(({ healthPort }) => healthPort))],
  };
}
