// SQL of options.
import type { Database, Sql, Transaction } from '../../../platform/database/database.ts';
import { marksFor } from '../../../platform/database/sql.ts';

/** What a person says of an option. */
export interface OptionWish {
  readonly name: string;
  readonly replicas: number;
  /** UUIDs of the clusters that it has chosen; empty: all. */
  readonly clusterIds: readonly string[];
  readonly nearestReads: boolean;
  readonly isDefault: boolean;
}

export interface OptionRow extends OptionWish {
  /** UUID. */
  readonly id: string;
  readonly number: number;
  /** Of its ring, in which it ends: it is being deleted. */
  readonly endingEpoch: number | null;
  /** What the deletion waits for, or why it was called off. */
  readonly endMessage: string | null;
  readonly version: number;
  readonly createdAt: Date;
  readonly deleted: boolean;
}

type Flags = 'nearestReads' | 'isDefault' | 'deleted';
type Raw = Omit<OptionRow, Flags | 'clusterIds'> & Readonly<Record<Flags, number>> & { readonly clusterIds: string };

const columns = `id, number, name, replicas, cluster_ids AS clusterIds, nearest_reads AS nearestReads, is_default AS isDefault,
  ending_epoch AS endingEpoch, end_message AS endMessage, version,
  created_at AS createdAt, live_name IS NULL AS deleted`;

function toRow(raw: Raw): OptionRow {
  const { nearestReads, isDefault, deleted, clusterIds } = raw;
  const flags = { nearestReads: nearestReads === 1, isDefault: isDefault === 1, deleted: deleted === 1 };
  return { ...raw, ...flags, clusterIds: JSON.parse(clusterIds) };
}

/** Deleted ones too. */
export async function readOptions(sql: Sql, ids: readonly string[]): Promise<ReadonlyMap<string, OptionRow>> {
  if (ids.length === 0) return new Map();
  const rows = await sql.query<Raw>(`SELECT ${columns} FROM object_option WHERE id IN (${marksFor(ids)})`, ids);
  return new Map(rows.map((raw) => [raw.id, toRow(raw)]));
}

/** All that there are, by number: at most `mostOptions`. */
export async function liveOptions(sql: Sql): Promise<readonly OptionRow[]> {
  const text = `SELECT ${columns} FROM object_option WHERE live_name IS NOT NULL ORDER BY number`;
  return (await sql.query<Raw>(text)).map(toRow);
}

/** Those that are being deleted. */
export async function endingOptions(sql: Sql): Promise<readonly OptionRow[]> {
  const text = `SELECT ${columns} FROM object_option WHERE live_name IS NOT NULL AND ending_epoch IS NOT NULL ORDER BY number`;
  return (await sql.query<Raw>(text)).map(toRow);
}

export async function pageOfOptions(sql: Sql, after: number, take: number): Promise<readonly OptionRow[]> {
  const text = `SELECT ${columns} FROM object_option WHERE live_name IS NOT NULL AND number > ? ORDER BY number LIMIT ?`;
  return (await sql.query<Raw>(text, [after, take])).map(toRow);
}

const values = ({ name, replicas, clusterIds, nearestReads, isDefault }: OptionWish) => [
  ...[name, name, replicas, JSON.stringify(clusterIds), nearestReads, isDefault],
];

export async function insertOption(tx: Transaction, id: string, number: number, wish: OptionWish): Promise<void> {
  await tx.execute(
    `INSERT INTO object_option (id, number, name, live_name, replicas, cluster_ids, nearest_reads, is_default) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    [id, number, ...values(wish)],
  );
}

/** Its version rises by one. */
export async function updateOption(tx: Transaction, id: string, wish: OptionWish): Promise<void> {
  await tx.execute(
    `UPDATE object_option SET name = ?, live_name = ?, replicas = ?, cluster_ids = ?, nearest_reads = ?, is_default = ?, version = version + 1
    WHERE id = ?`,
    [...values(wish), id],
  );
}

/** Its version rises by one. `epoch`: of its ring, in which it ends; undefined: it stays, for the reason in the message. */
export async function setOptionEnd(
  tx: Transaction,
  id: string,
  { epoch = null, message }: { readonly epoch?: number | null; readonly message: string | null },
): Promise<void> {
  await tx.execute('UPDATE object_option SET ending_epoch = ?, end_message = ?, version = version + 1 WHERE id = ?', [
    epoch,
    message,
    id,
  ]);
}

/** What the end in this epoch waits for. */
export async function tellOptionEnd(db: Database, id: string, epoch: number, message: string): Promise<void> {
  const text = 'UPDATE object_option SET end_message = ? WHERE id = ? AND ending_epoch = ? AND NOT end_message <=> ?';
  await db.execute(text, [message, id, epoch, message]);
}

/** Its name is free; its number is not. */
export async function deleteOption(tx: Transaction, id: string): Promise<void> {
  const text =
    'UPDATE object_option SET live_name = NULL, is_default = 0, ending_epoch = NULL, end_message = NULL, deleted_at = NOW(3), version = version + 1 WHERE id = ?';
  await tx.execute(text, [id]);
}
