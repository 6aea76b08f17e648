// SQL of controllers: to which cluster each belongs, what it has said, and when it was heard. All times are the database's.
import type { Sql, Transaction } from '../../../platform/database/database.ts';
import { marksFor } from '../../../platform/database/sql.ts';
import { appendStatus } from '../../../platform/events/append.ts';
import { LinkRefusal } from '../../../platform/link/link-server.ts';
import type { MachineName } from '../../../platform/machines/machine.ts';
import { owe } from '../../../platform/owed-work.ts';
import type { Wake } from '../../../platform/wake.ts';
import { objectEvents } from '../events.ts';
import { clusterOf } from '../wire/cluster-names.ts';
import { type ControllerFacts, type ControllerState, silentForMs } from '../wire/controller-wire.ts';
import { liveClusters } from './cluster-store.ts';
import { tellClusters } from './wanted-documents.ts';

/** Owed for a cluster (UUID) whose public key is another one than before. */
export const clusterKeyKind = 'object-cluster-key';

export interface ControllerRow {
  /** UUID of the machine that joined. */
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

/** Between the limits: one that was heard far ahead was so before the clock was set back. */
export const heardController = `ABS(TIMESTAMPDIFF(MICROSECOND, heard_at, NOW(3))) < ${silentForMs} * 1000`;

const columns = `id, cluster_id AS clusterId, name, facts, state, clock_ahead_ms AS clockAheadMs, heard_at AS heardAt, linked_to AS linkedTo,
  ${heardController} AS present`;

/** By the UUID of their cluster, in the order of their names. */
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
  /** Of the connection. */
  readonly epoch: number;
  readonly clusterId: string;
}

/**
 * A controller connects, in the transaction that has locked the federation. Its machine's name is that of its cluster, or begins with it and
 * a hyphen; it stays with that cluster. Where the cluster has another public key than before, its secrets are owed. Throws when there is none.
 */
export async function connectController(
  tx: Transaction,
  wake: Wake,
  connection: {
    readonly machine: Pick<MachineName, 'id' | 'name'>;
    readonly facts: ControllerFacts;
    /** The process to which it is connected. */
    readonly linkedTo: string;
  },
): Promise<Connected> {
  const { machine, facts, linkedTo } = connection;
  const clusters = await liveClusters(tx);
  const [known] = await tx.query<{ clusterId: string; epoch: number }>(
    'SELECT cluster_id AS clusterId, epoch FROM object_controller WHERE id = ? FOR UPDATE',
    [machine.id],
  );
  const cluster =
    known === undefined ? clusterOf(clusters, machine) : clusters.find(({ id }) => id === known.clusterId);
  if (cluster === undefined)
    throw new LinkRefusal(
      `no cluster is there for the controller ${machine.name}: create it with objectClusterCreate; a controller is named as its cluster, or CLUSTER-…`,
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

/** False: it has a newer connection, or its cluster was deleted. */
export async function isConnected(sql: Sql, { id, epoch }: Connection): Promise<boolean> {
  const rows = await sql.query('SELECT 1 FROM object_controller WHERE id = ? AND epoch = ?', [id, epoch]);
  return rows.length > 0;
}

/** Unless it has a newer connection. */
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

/** Machines whose certificates have run out since cannot come back. */
export async function forgetSilent(sql: Sql): Promise<void> {
  await sql.execute('DELETE FROM object_controller WHERE heard_at < NOW(3) - INTERVAL 8 DAY LIMIT 1000');
}

const heardOf = `EXISTS (SELECT 1 FROM object_controller k WHERE k.cluster_id = c.id AND ${heardController})`;

/** UUIDs of the clusters that are heard and were last told not to be, or the other way round. */
export async function movedPresence(sql: Sql): Promise<readonly string[]> {
  const rows = await sql.query<{ id: string }>(
    `SELECT c.id FROM object_cluster c WHERE c.live_name IS NOT NULL AND c.present <> ${heardOf} ORDER BY c.id`,
  );
  return rows.map(({ id }) => id);
}

/** Tells that a cluster is heard again, or no longer. Whoever comes second finds nothing. */
export async function tellPresence(tx: Transaction, wake: Wake, id: string): Promise<'PRESENT' | 'ABSENT' | undefined> {
  const [row] = await tx.query<{ present: number; heard: number; version: number }>(
    `SELECT c.present, ${heardOf} AS heard, c.version FROM object_cluster c WHERE c.id = ? AND c.live_name IS NOT NULL FOR UPDATE`,
    [id],
  );
  if (row === undefined || row.present === row.heard) return undefined;
  await tx.execute('UPDATE object_cluster SET present = ?, version = version + 1 WHERE id = ?', [row.heard, id]);
  const [from, to] = row.heard === 1 ? (['ABSENT', 'PRESENT'] as const) : (['PRESENT', 'ABSENT'] as const);
  const subject = { projectId: null, subjectId: id, subjectVersion: row.version + 1 };
  await appendStatus(tx, objectEvents, [{ ...subject, kind: 'objectCluster.presence', from, to }], wake);
  return to;
}
