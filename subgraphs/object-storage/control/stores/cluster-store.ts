// SQL of clusters.
import type { Sql, Transaction } from '../../../../platform/database/database.ts';
import { marksFor } from '../../../../platform/database/sql.ts';
import { type ClusterState, mostFormer } from '../../wire/documents/documents.ts';

/** The fields of a cluster that an administrator sets. */
export interface ClusterWish {
  readonly name: string;
  readonly zone: string;
  readonly weight: number;
  readonly site: string;
  readonly state: ClusterState;
  /** Origins, such as https://north.example:7443. */
  readonly peerUrls: readonly string[];
  readonly controllerUrls: readonly string[];
  readonly s3Urls: readonly string[];
}

export interface ClusterRow extends ClusterWish {
  /** UUID. */
  readonly id: string;
  readonly number: number;
  readonly version: number;
  /** Its version after the last change of its settings. */
  readonly settingsVersion: number;
  readonly createdAt: Date;
  /** When the version last increased. */
  readonly updatedAt: Date;
  readonly deleted: boolean;
  /** PEM. Null until a controller has reported it. */
  readonly publicKey: string | null;
  /** Whether one of its controllers is connected. */
  readonly present: boolean;
}

type Lists = 'peerUrls' | 'controllerUrls' | 's3Urls';
type Flags = 'deleted' | 'present';
type Raw = Omit<ClusterRow, Lists | Flags> & Readonly<Record<Lists, string>> & Readonly<Record<Flags, number>>;

const columns = `id, number, name, zone, weight, site, state, peer_urls AS peerUrls, controller_urls AS controllerUrls, s3_urls AS s3Urls, version, settings_version AS settingsVersion,
  created_at AS createdAt, updated_at AS updatedAt, live_name IS NULL AS deleted, public_key AS publicKey, present`;

function toRow(raw: Raw): ClusterRow {
  const { peerUrls, controllerUrls, s3Urls, deleted, present } = raw;
  return {
    ...raw,
    ...{ peerUrls: JSON.parse(peerUrls), controllerUrls: JSON.parse(controllerUrls), s3Urls: JSON.parse(s3Urls) },
    ...{ deleted: deleted === 1, present: present === 1 },
  };
}

/** Includes deleted clusters. */
export async function readClusters(sql: Sql, ids: readonly string[]): Promise<ReadonlyMap<string, ClusterRow>> {
  if (ids.length === 0) return new Map();
  const rows = await sql.query<Raw>(`SELECT ${columns} FROM object_cluster WHERE id IN (${marksFor(ids)})`, ids);
  return new Map(rows.map((raw) => [raw.id, toRow(raw)]));
}

/** By number, without deleted clusters. */
export async function clustersByNumber(sql: Sql, numbers: readonly number[]): Promise<ReadonlyMap<number, ClusterRow>> {
  if (numbers.length === 0) return new Map();
  const text = `SELECT ${columns} FROM object_cluster WHERE number IN (${marksFor(numbers)}) AND live_name IS NOT NULL`;
  return new Map((await sql.query<Raw>(text, numbers)).map((raw) => [raw.number, toRow(raw)]));
}

/** All clusters that are not deleted, by number: at most `mostClusters`. */
export async function liveClusters(sql: Sql): Promise<readonly ClusterRow[]> {
  const text = `SELECT ${columns} FROM object_cluster WHERE live_name IS NOT NULL ORDER BY number`;
  return (await sql.query<Raw>(text)).map(toRow);
}

const values = (wish: ClusterWish) => [
  ...[wish.name, wish.name, wish.zone, wish.weight, wish.site, wish.state],
  ...[JSON.stringify(wish.peerUrls), JSON.stringify(wish.controllerUrls), JSON.stringify(wish.s3Urls)],
];

export async function insertCluster(tx: Transaction, id: string, number: number, wish: ClusterWish): Promise<void> {
  await tx.execute(
    `INSERT INTO object_cluster (id, number, name, live_name, zone, weight, site, state, peer_urls, controller_urls, s3_urls)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    [id, number, ...values(wish)],
  );
}

/** Increments its version. */
export async function updateCluster(tx: Transaction, id: string, wish: ClusterWish): Promise<void> {
  await tx.execute(
    `UPDATE object_cluster SET name = ?, live_name = ?, zone = ?, weight = ?, site = ?, state = ?, peer_urls = ?, controller_urls = ?, s3_urls = ?,
      settings_version = version + 1, version = version + 1, updated_at = NOW(3) WHERE id = ?`,
    [...values(wish), id],
  );
}

/** Frees its name. Its number is never used again. */
export async function deleteCluster(tx: Transaction, id: string): Promise<void> {
  const text =
    'UPDATE object_cluster SET live_name = NULL, deleted_at = NOW(3), version = version + 1, updated_at = NOW(3) WHERE id = ?';
  await tx.execute(text, [id]);
}

/**
 * By live name: the names of deleted clusters that begin with it and a hyphen. Without those that a live cluster has again.
 */
export async function formerNames(sql: Sql): Promise<ReadonlyMap<string, readonly string[]>> {
  const rows = await sql.query<{ name: string; former: string }>(
    `SELECT DISTINCT live.live_name AS name, gone.name AS former FROM object_cluster live
      JOIN object_cluster gone ON gone.live_name IS NULL AND gone.name LIKE CONCAT(live.live_name, '-%')
      WHERE live.live_name IS NOT NULL AND NOT EXISTS (SELECT 1 FROM object_cluster again WHERE again.live_name = gone.name)
      ORDER BY live.live_name, gone.name`,
  );
  const byName = Map.groupBy(rows, ({ name }) => name);
  return new Map([...byName].map(([name, each]) => [name, each.slice(0, mostFormer).map(({ former }) => former)]));
}
