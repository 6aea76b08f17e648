// SQL of controllers: their cluster, their last report, and when they were last heard from. All times are the database's.
import type { Sql, Transaction } from '../../../../platform/database/database.ts';
import { marksFor } from '../../../../platform/database/sql.ts';
import { appendPresence } from '../../../../platform/events/presence.ts';
import { trustedNow } from '../../../../platform/leases/trusted-clock.ts';
import { LinkRefusal } from '../../../../platform/link/link-server.ts';
import type { MachineName } from '../../../../platform/machines/machine.ts';
import { owe } from '../../../../platform/owed/owed-work.ts';
import type { Wake } from '../../../../platform/work/wake.ts';
import { clusterOf } from '../../wire/cluster-names.ts';
import { type ControllerFacts, type ControllerState, silentForMs } from '../../wire/controller-wire.ts';
import { objectEvents } from '../events.ts';
import { formerNames, liveClusters } from './cluster-store.ts';
import { tellClusters } from './wanted-documents.ts';

/** Owed work for a cluster (UUID) whose public key has changed. */
export const clusterKeyKind = 'object-cluster-key';

export interface ControllerRow {
  /** UUID of the enrolled machine. */
  readonly id: string;
  readonly clusterId: string;
  readonly name: string;
  readonly facts: ControllerFacts;
  readonly state: ControllerState | null;
  readonly clockAheadMs: number | null;
  readonly heardAt: Date;
  readonly linkedTo: string | null;
  readonly present: boolean;
}

interface Raw extends Omit<ControllerRow, 'facts' | 'state' | 'present'> {
  readonly facts: string;
  readonly state: string | null;
  readonly present: number;
}

/** Bounded on both sides: a time far in the future comes from before the clock was set back. */
export const heardController = `ABS(TIMESTAMPDIFF(MICROSECOND, heard_at, NOW(3))) < ${silentForMs} * 1000`;

const columns = `id, cluster_id AS clusterId, name, facts, state, clock_ahead_ms AS clockAheadMs, heard_at AS heardAt, linked_to AS linkedTo,
  ${heardController} AS present`;

/** By the UUID of their cluster, in order of their names. */
export async function controllersOf(
  sql: Sql,
  clusterIds: readonly string[],
): Promise<ReadonlyMap<string, readonly ControllerRow[]>> {
  if (clusterIds.length === 0) return new Map();
  const text = `SELECT ${columns} FROM object_controller WHERE cluster_id IN (${marksFor(clusterIds)}) ORDER BY name, id`;
  const rows = (await sql.query<Raw>(text, clusterIds)).map((raw) => ({
    ...raw,
    ...{ facts: JSON.parse(raw.facts), state: raw.state === null ? null : JSON.parse(raw.state) },
    present: raw.present === 1,
  }));
  return Map.groupBy(rows, ({ clusterId }) => clusterId);
}

export interface Connected {
  /** Epoch of the connection. */
  readonly epoch: number;
  readonly clusterId: string;
}

/**
 * Records that a controller connects, in the transaction that has locked the federation. Its machine's name must be the name of its
 * cluster, or begin with that name and a hyphen; afterwards it stays with that cluster. If the cluster's public key has changed, sealing
 * its secrets becomes owed work. Throws if there is no such cluster.
 */
export async function connectController(
  tx: Transaction,
  wake: Wake,
  connection: {
    readonly machine: Pick<MachineName, 'id' | 'name'>;
    readonly facts: ControllerFacts;
    /** The process that has its link. */
    readonly linkedTo: string;
  },
): Promise<Connected> {
  const { machine, facts, linkedTo } = connection;
  const clusters = await liveClusters(tx);
  const [known] = await tx.query<{ clusterId: string; epoch: number }>(
    'SELECT cluster_id AS clusterId, epoch FROM object_controller WHERE id = ? FOR UPDATE',
    [machine.id],
  );
  const formers = await formerNames(tx);
  const named = clusters.map((each) => ({ ...each, former: formers.get(each.name) }));
  const cluster = known === undefined ? clusterOf(named, machine) : named.find(({ id }) => id === known.clusterId);
  if (cluster === undefined)
    throw new LinkRefusal(
      `there is no cluster for the controller ${machine.name}: create it with objectClusterCreate; name a controller like its cluster, or CLUSTER-…`,
    );
  const epoch = (known?.epoch ?? 0) + 1;
  await tx.execute(
    `INSERT INTO object_controller (id, cluster_id, name, epoch, facts, heard_at, linked_to) VALUES (?, ?, ?, ?, ?, NOW(3), ?)
    ON DUPLICATE KEY UPDATE name = VALUES(name), epoch = VALUES(epoch), facts = VALUES(facts), heard_at = VALUES(heard_at),
      linked_to = VALUES(linked_to)`,
    [machine.id, cluster.id, machine.name, epoch, JSON.stringify(facts), linkedTo],
  );
  if (cluster.publicKey !== facts.publicKey) {
    await tx.execute('UPDATE object_cluster SET public_key = ? WHERE id = ?', [facts.publicKey, cluster.id]);
    await owe(tx, clusterKeyKind, cluster.id, {}, wake);
    await tellClusters(tx, wake);
  }
  return { epoch, clusterId: cluster.id };
}

interface Connection {
  readonly id: string;
  readonly epoch: number;
}

/** False if the controller has a newer connection or its cluster was deleted. */
export async function isConnected(sql: Sql, { id, epoch }: Connection): Promise<boolean> {
  const rows = await sql.query('SELECT 1 FROM object_controller WHERE id = ? AND epoch = ?', [id, epoch]);
  return rows.length > 0;
}

/** Does nothing if the controller has a newer connection. */
export async function recordState(sql: Sql, { id, epoch }: Connection, state: ControllerState): Promise<void> {
  await sql.execute(
    `UPDATE object_controller SET state = ?, heard_at = NOW(3), clock_ahead_ms = ? - UNIX_TIMESTAMP(NOW(3)) * 1000
    WHERE id = ? AND epoch = ?`,
    [JSON.stringify(state), state.clockMs, id, epoch],
  );
}

export async function endConnection(sql: Sql, { id, epoch }: Connection): Promise<void> {
  await sql.execute('UPDATE object_controller SET linked_to = NULL WHERE id = ? AND epoch = ?', [id, epoch]);
}

export async function deleteControllers(tx: Transaction, clusterId: string): Promise<void> {
  await tx.execute('DELETE FROM object_controller WHERE cluster_id = ?', [clusterId]);
}

/** Forgets controllers whose certificates have expired: they can't come back. */
export async function forgetSilent(sql: Sql): Promise<void> {
  await sql.execute(`DELETE FROM object_controller WHERE heard_at < ${trustedNow} - INTERVAL 8 DAY LIMIT 1000`);
}

const heardOf = `EXISTS (SELECT 1 FROM object_controller k WHERE k.cluster_id = c.id AND ${heardController})`;

/** Live clusters by UUID. `hasMoved`: whether the presence differs from the last published one. */
export async function readPresences(sql: Sql): Promise<readonly { readonly id: string; readonly hasMoved: boolean }[]> {
  const rows = await sql.query<{ id: string; moved: number }>(
    `SELECT c.id, c.present <> ${heardOf} AS moved FROM object_cluster c WHERE c.live_name IS NOT NULL ORDER BY c.id`,
  );
  return rows.map(({ id, moved }) => ({ id, hasMoved: moved === 1 }));
}

/** Publishes that a cluster is present or absent. Undefined if another process has already done so. */
export async function tellPresence(
  tx: Transaction,
  wake: Wake,
  id: string,
): Promise<{ readonly name: string; readonly to: 'PRESENT' | 'ABSENT' } | undefined> {
  const [row] = await tx.query<{ name: string; present: number; heard: number; version: number }>(
    `SELECT c.name, c.present, ${heardOf} AS heard, c.version FROM object_cluster c WHERE c.id = ? AND c.live_name IS NOT NULL FOR UPDATE`,
    [id],
  );
  if (row === undefined || row.present === row.heard) return undefined;
  await tx.execute('UPDATE object_cluster SET present = ?, version = version + 1, updated_at = NOW(3) WHERE id = ?', [
    row.heard,
    id,
  ]);
  const [from, to] = row.heard === 1 ? (['ABSENT', 'PRESENT'] as const) : (['PRESENT', 'ABSENT'] as const);
  const subject = { projectId: null, subjectId: id, subjectVersion: row.version + 1 };
  const reason = to === 'ABSENT' ? `${row.name}: none of its controllers reports` : row.name;
  const change = { ...subject, kind: 'objectCluster.presence', from, to, name: row.name, reason } as const;
  await appendPresence(tx, objectEvents, change, wake);
  return { name: row.name, to };
}
