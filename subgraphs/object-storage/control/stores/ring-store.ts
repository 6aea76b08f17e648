// SQL of rings. A ring never changes: it is replaced by one with the same number and a higher epoch.
import type { Sql, Transaction } from '../../../../platform/database/database.ts';
import { marksFor } from '../../../../platform/database/sql.ts';
import type { Ring, RingMember } from '../../../../platform/rings/ring.ts';
import { newUuid } from '../../../../platform/values/ids.ts';
import { packClusters, unpackClusters } from '../../wire/documents/ring-clusters.ts';

/** The ring of accounts and containers. */
export const coreRing = 0;

export interface RingRow extends Ring {
  /** UUID. */
  readonly id: string;
  readonly number: number;
  readonly epoch: number;
  readonly createdAt: Date;
}

/** A member as the graph shows it. */
export interface RingMemberRow {
  readonly number: number;
  readonly weight: number;
  readonly zone: string;
  readonly partitions: number;
}

type Raw = Omit<RingRow, 'members' | 'clusters'> & { readonly members: string; readonly clusters: Buffer };

const columns = 'r.id, r.number, r.epoch, r.replicas, r.members, r.clusters, r.created_at AS createdAt';
/** For each number the ring with the highest epoch. */
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

/** Of a number and an epoch. */
export function ringKey({ number, epoch }: Pick<RingRow, 'number' | 'epoch'>): string {
  return `${number}:${epoch}`;
}

/** Keyed as `ringKey`. */
export async function ringsOfEpochs(sql: Sql, keys: readonly string[]): Promise<ReadonlyMap<string, RingRow>> {
  if (keys.length === 0) return new Map();
  const pairs = keys.map(() => '(?, ?)').join(', ');
  const text = `SELECT ${columns} FROM object_ring r WHERE (r.number, r.epoch) IN (${pairs})`;
  const rows = await sql.query<Raw>(
    text,
    keys.flatMap((key) => key.split(':').map(Number)),
  );
  return new Map(rows.map((raw) => [ringKey(raw), toRow(raw)]));
}

const shown = `(r.number = ${coreRing} OR r.number IN (SELECT number FROM object_option WHERE live_name IS NOT NULL))`;

/** The current rings of the core and of existing options, by number: options get theirs in the order in which they are created. */
export async function pageOfRings(
  sql: Sql,
  order: 'OLDEST' | 'NEWEST',
  after: number | undefined,
  take: number,
): Promise<readonly RingRow[]> {
  const [sign, direction] = order === 'OLDEST' ? ['>', 'ASC'] : ['<', 'DESC'];
  const beyond = after === undefined ? '' : `r.number ${sign} ? AND`;
  const text = `SELECT ${columns} FROM object_ring r FORCE INDEX (object_ring_number_key)
    WHERE ${beyond} ${present} AND ${shown} ORDER BY r.number ${direction} LIMIT ?`;
  return (await sql.query<Raw>(text, [...(after === undefined ? [] : [after]), take])).map(toRow);
}

/** Of all pages. There are few: at most one for each option. */
export async function countRings(sql: Sql): Promise<number> {
  const text = `SELECT COUNT(DISTINCT r.number) AS count FROM object_ring r WHERE ${shown}`;
  const [row] = await sql.query<{ readonly count: number | bigint }>(text);
  return Number(row?.count ?? 0);
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
