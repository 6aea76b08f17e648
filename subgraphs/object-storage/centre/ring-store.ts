// SQL of rings, which never change: a ring is replaced by one of the same number with a higher epoch.
import type { Sql, Transaction } from '../../../platform/database/database.ts';
import { marksFor } from '../../../platform/database/sql.ts';
import { newUuid } from '../../../platform/ids.ts';
import type { Ring, RingMember } from '../../../platform/rings/ring.ts';
import { packClusters, unpackClusters } from '../documents/ring-clusters.ts';

/** Of accounts and containers. */
export const coreRing = 0;

export interface RingRow extends Ring {
  /** UUID. */
  readonly id: string;
  readonly number: number;
  readonly epoch: number;
  readonly createdAt: Date;
}

/** A member in the graph. */
export interface RingMemberRow {
  readonly number: number;
  readonly weight: number;
  readonly zone: string;
  readonly partitions: number;
}

type Raw = Omit<RingRow, 'members' | 'clusters'> & { readonly members: string; readonly clusters: Buffer };

const columns = 'r.id, r.number, r.epoch, r.replicas, r.members, r.clusters, r.created_at AS createdAt';
/** Of each number the one with the highest epoch. */
const present = 'r.epoch = (SELECT MAX(o.epoch) FROM object_ring o WHERE o.number = r.number)';

function toRow(raw: Raw): RingRow {
  return {
    ...raw,
    members: JSON.parse(raw.members) as readonly RingMember[],
    clusters: unpackClusters(raw.clusters, raw.replicas),
  };
}

export async function readRings(sql: Sql, ids: readonly string[]): Promise<ReadonlyMap<string, RingRow>> {
  if (ids.length === 0) return new Map();
  const rows = await sql.query<Raw>(`SELECT ${columns} FROM object_ring r WHERE r.id IN (${marksFor(ids)})`, ids);
  return new Map(rows.map((raw) => [raw.id, toRow(raw)]));
}

/** By number. */
export async function presentRings(sql: Sql, numbers: readonly number[]): Promise<ReadonlyMap<number, RingRow>> {
  if (numbers.length === 0) return new Map();
  const text = `SELECT ${columns} FROM object_ring r WHERE r.number IN (${marksFor(numbers)}) AND ${present}`;
  return new Map((await sql.query<Raw>(text, numbers)).map((raw) => [raw.number, toRow(raw)]));
}

/** The present ones of the core and of options that there are, by number. */
export async function pageOfRings(sql: Sql, after: number, take: number): Promise<readonly RingRow[]> {
  const text = `SELECT ${columns} FROM object_ring r WHERE r.number > ? AND ${present}
    AND (r.number = ${coreRing} OR r.number IN (SELECT number FROM object_option WHERE live_name IS NOT NULL)) ORDER BY r.number LIMIT ?`;
  return (await sql.query<Raw>(text, [after, take])).map(toRow);
}

/** Returns its UUID. */
export async function insertRing(tx: Transaction, number: number, epoch: number, ring: Ring): Promise<string> {
  const id = newUuid();
  await tx.execute(
    'INSERT INTO object_ring (id, number, epoch, replicas, members, clusters) VALUES (?, ?, ?, ?, ?, ?)',
    [...[id, number, epoch, ring.replicas, JSON.stringify(ring.members), packClusters(ring.clusters)]],
  );
  return id;
}
