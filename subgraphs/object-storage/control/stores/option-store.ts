// SQL of options.
import type { Database, Sql, Transaction } from '../../../../platform/database/database.ts';
import { marksFor } from '../../../../platform/database/sql.ts';

/** The fields of an option that an administrator sets. */
export interface OptionWish {
  readonly name: string;
  readonly replicas: number;
  /** UUIDs of the chosen clusters. Empty means all. */
  readonly clusterIds: readonly string[];
  readonly nearestReads: boolean;
  readonly isDefault: boolean;
}

export interface OptionRow extends OptionWish {
  /** UUID. */
  readonly id: string;
  readonly number: number;
  /** Epoch of its ring in which it ends: the option is being deleted. */
  readonly endingEpoch: number | null;
  /** What the deletion waits for, or why it was called off. */
  readonly endMessage: string | null;
  readonly version: number;
  readonly createdAt: Date;
  /** When the version last increased. */
  readonly updatedAt: Date;
  readonly deleted: boolean;
}

type Flags = 'nearestReads' | 'isDefault' | 'deleted';
type Raw = Omit<OptionRow, Flags | 'clusterIds'> & Readonly<Record<Flags, number>> & { readonly clusterIds: string };

const columns = `id, number, name, replicas, cluster_ids AS clusterIds, nearest_reads AS nearestReads, is_default AS isDefault,
  ending_epoch AS endingEpoch, end_message AS endMessage, version,
  created_at AS createdAt, updated_at AS updatedAt, live_name IS NULL AS deleted`;

function toRow(raw: Raw): OptionRow {
  const { nearestReads, isDefault, deleted, clusterIds } = raw;
  const flags = { nearestReads: nearestReads === 1, isDefault: isDefault === 1, deleted: deleted === 1 };
  return { ...raw, ...flags, clusterIds: JSON.parse(clusterIds) };
}

/** Includes deleted options. */
export async function readOptions(sql: Sql, ids: readonly string[]): Promise<ReadonlyMap<string, OptionRow>> {
  if (ids.length === 0) return new Map();
  const rows = await sql.query<Raw>(`SELECT ${columns} FROM object_option WHERE id IN (${marksFor(ids)})`, ids);
  return new Map(rows.map((raw) => [raw.id, toRow(raw)]));
}

/** All options that are not deleted, by number: at most `mostOptions`. */
export async function liveOptions(sql: Sql): Promise<readonly OptionRow[]> {
  const text = `SELECT ${columns} FROM object_option WHERE live_name IS NOT NULL ORDER BY number`;
  return (await sql.query<Raw>(text)).map(toRow);
}

/** Options that are being deleted. */
export async function endingOptions(sql: Sql): Promise<readonly OptionRow[]> {
  const text = `SELECT ${columns} FROM object_option WHERE live_name IS NOT NULL AND ending_epoch IS NOT NULL ORDER BY number`;
  return (await sql.query<Raw>(text)).map(toRow);
}

/** By number, without deleted options. */
export async function optionsByNumber(sql: Sql, numbers: readonly number[]): Promise<ReadonlyMap<number, OptionRow>> {
  if (numbers.length === 0) return new Map();
  const text = `SELECT ${columns} FROM object_option WHERE number IN (${marksFor(numbers)}) AND live_name IS NOT NULL`;
  return new Map((await sql.query<Raw>(text, numbers)).map((raw) => [raw.number, toRow(raw)]));
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

/** Increments its version. */
export async function updateOption(tx: Transaction, id: string, wish: OptionWish): Promise<void> {
  await tx.execute(
    `UPDATE object_option SET name = ?, live_name = ?, replicas = ?, cluster_ids = ?, nearest_reads = ?, is_default = ?, version = version + 1,
      updated_at = NOW(3)
    WHERE id = ?`,
    [...values(wish), id],
  );
}

/** Increments its version. `epoch`: epoch of its ring in which it ends. Undefined if the deletion is called off, for the reason in the message. */
export async function setOptionEnd(
  tx: Transaction,
  id: string,
  { epoch = null, message }: { readonly epoch?: number | null; readonly message: string | null },
): Promise<void> {
  const text =
    'UPDATE object_option SET ending_epoch = ?, end_message = ?, version = version + 1, updated_at = NOW(3) WHERE id = ?';
  await tx.execute(text, [epoch, message, id]);
}

/** Records what the deletion in this epoch waits for. */
export async function tellOptionEnd(db: Database, id: string, epoch: number, message: string): Promise<void> {
  const text = 'UPDATE object_option SET end_message = ? WHERE id = ? AND ending_epoch = ? AND NOT end_message <=> ?';
  await db.execute(text, [message, id, epoch, message]);
}

/** Frees its name. Its number is never used again. */
export async function deleteOption(tx: Transaction, id: string): Promise<void> {
  const text =
    'UPDATE object_option SET live_name = NULL, is_default = 0, ending_epoch = NULL, end_message = NULL, deleted_at = NOW(3), version = version + 1, updated_at = NOW(3) WHERE id = ?';
  await tx.execute(text, [id]);
}
