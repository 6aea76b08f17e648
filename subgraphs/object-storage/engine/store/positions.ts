// How far this cluster has followed another one, by partition.
import type { Database, SqlValue, Transaction } from '../../../../platform/database/database.ts';
import { padded } from './padded.ts';
import { type Place, placeId, toBinary, toDigits } from './partition-state.ts';

export interface Position extends Place {
  /** Id of the other's numbering. */
  readonly log: string;
  /** All its changes up to this one were read. */
  readonly position: number;
  /** The first of them that could not be applied. Undefined if all were. */
  readonly keptBack: number | undefined;
}

/** As reported to that cluster. */
export type SeenPartition = Pick<Position, 'partition' | 'log' | 'position'>;

interface PositionRow {
  readonly ring: number;
  readonly partition_number: number;
  readonly log: Buffer;
  readonly position: number;
  readonly kept_back: number | null;
}

const columns = 'ring, partition_number, log, position, kept_back';

export async function readPositions(db: Database, peer: number): Promise<Map<string, Position>> {
  const rows = await db.query<PositionRow>(`SELECT ${columns} FROM store_position WHERE peer = ?`, [peer]);
  return new Map(rows.map((row) => [placeId(row.ring, row.partition_number), toPosition(row)]));
}

/** How far it has followed another cluster in a ring. */
export async function positionsIn(db: Database, peer: number, ring: number): Promise<readonly Position[]> {
  const sql = `SELECT ${columns} FROM store_position WHERE peer = ? AND ring = ?`;
  return (await db.query<PositionRow>(sql, [peer, ring])).map(toPosition);
}

function toPosition({ ring, partition_number: partition, log, position, kept_back }: PositionRow): Position {
  return { ring, partition, log: toDigits(log), position, keptBack: kept_back ?? undefined };
}

export async function writePositions(tx: Transaction, peer: number, positions: readonly Position[]): Promise<void> {
  if (positions.length === 0) return;
  const { items, prepared } = padded(positions);
  const values = items.flatMap(({ ring, partition, log, position, keptBack }): SqlValue[] => [
    ...[peer, ring, partition, toBinary(log), position, keptBack ?? null],
  ]);
  await tx.query(
    `INSERT INTO store_position (peer, ring, partition_number, log, position, kept_back)
      VALUES ${items.map(() => '(?, ?, ?, ?, ?, ?)').join(', ')} ON DUPLICATE KEY UPDATE
        log = VALUES(log), position = VALUES(position), kept_back = VALUES(kept_back)`,
    values,
    { prepared },
  );
}
