// The state of the partitions that this cluster holds. Each change of a register first locks the row of its partition, in a fixed order, so
// the changes of a partition are ordered across all processes of the cluster.
import type { SqlValue, Transaction } from '../../../../platform/database/database.ts';
import { marksFor } from '../../../../platform/database/sql.ts';
import type { Refusal } from '../../../../platform/registers/registers.ts';
import type { Version } from '../../../../platform/registers/version.ts';
import { padded } from './padded.ts';

export interface Place {
  readonly ring: number;
  readonly partition: number;
}

export interface PartitionState extends Place {
  readonly epoch: number;
  /** This cluster is a member of the partition. */
  readonly isHeld: boolean;
  /** This replica has the floor of its predecessors, and votes. */
  readonly isReady: boolean;
  readonly floor: Version;
  /** The number of the last change. */
  readonly changes: number;
  /** Id of this numbering: 32 hexadecimal digits. */
  readonly log: string;
}

export interface PartitionRow {
  readonly ring: number;
  readonly partition_number: number;
  readonly epoch: number;
  readonly is_held: number;
  readonly is_ready: number;
  readonly floor: Buffer;
  readonly changes: number;
  readonly log: Buffer;
}

export const partitionColumns = 'ring, partition_number, epoch, is_held, is_ready, floor, changes, log';
/** Longest wait for another process's transaction. */
const lockWaitSeconds = 5;
const rowsAtOnce = 1_000;

export const placeId = (ring: number, partition: number): string => `${ring}/${partition}`;
export const toBinary = (digits: string): Buffer => Buffer.from(digits, 'hex');
export const toDigits = (binary: Buffer): string => binary.toString('hex');

export function toState(row: PartitionRow): PartitionState {
  const { ring, partition_number: partition, epoch, changes } = row;
  const flags = { isHeld: row.is_held === 1, isReady: row.is_ready === 1 };
  return { ring, partition, epoch, changes, ...flags, floor: toDigits(row.floor), log: toDigits(row.log) };
}

/** Why a replica in this state refuses. Undefined if it may act. */
export function refusalOf(state: PartitionState | undefined, epoch: number): Refusal | undefined {
  if (state === undefined) return { refused: 'UNREADY' };
  if (epoch < state.epoch) return { refused: 'STALE', epoch: state.epoch };
  return epoch > state.epoch || !state.isHeld || !state.isReady ? { refused: 'UNREADY' } : undefined;
}

export function placesCondition(places: readonly Place[]): { readonly sql: string; readonly values: SqlValue[] } {
  return {
    sql: `(ring, partition_number) IN (${places.map(() => '(?, ?)').join(', ')})`,
    values: places.flatMap(({ ring, partition }) => [ring, partition]),
  };
}

/** Locks them until the transaction ends. */
export async function lockPartitions(
  tx: Transaction,
  places: readonly Place[],
): Promise<ReadonlyMap<string, PartitionState>> {
  const { items, prepared } = padded(places);
  const { sql, values } = placesCondition(items);
  const rows = await tx.query<PartitionRow>(
    `SELECT ${partitionColumns} FROM store_partition WHERE ${sql} ORDER BY ring, partition_number
      FOR UPDATE WAIT ${lockWaitSeconds}`,
    values,
    { prepared },
  );
  return new Map(rows.map((row) => [placeId(row.ring, row.partition_number), toState(row)]));
}

/** The partitions must be locked or new. */
export async function writePartitions(tx: Transaction, states: readonly PartitionState[]): Promise<void> {
  for (let from = 0; from < states.length; from += rowsAtOnce) {
    const { items: some, prepared } = padded(states.slice(from, from + rowsAtOnce));
    await tx.query(
      `INSERT INTO store_partition (${partitionColumns}) VALUES ${some.map(() => `(${marksFor({ length: 8 })})`).join(', ')}
        ON DUPLICATE KEY UPDATE epoch = VALUES(epoch), is_held = VALUES(is_held), is_ready = VALUES(is_ready),
          floor = VALUES(floor), changes = VALUES(changes)`,
      some.flatMap((state) => [
        ...[state.ring, state.partition, state.epoch, state.isHeld, state.isReady],
        ...[toBinary(state.floor), state.changes, toBinary(state.log)],
      ]),
      { prepared },
    );
  }
}
