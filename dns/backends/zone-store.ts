// SQL of zones that an administrator assigned to backends.
import type { Sql, Transaction } from '../../platform/database/database.ts';
import { newToken } from '../../platform/values/ids.ts';
import type { ZoneRule } from '../ownership/name-rules.ts';
import type { BackendType } from '../records/backend-types.ts';

/** Settings for a backend that creates zones. */
export interface ZoneSpec {
  readonly nameServers: readonly string[];
  readonly isSigned: boolean;
  /** ADDRESS:PORT. */
  readonly secondaries: readonly string[];
}

export interface AdminZone {
  readonly id: string;
  readonly name: string;
  /** Null for the servers in the settings. */
  readonly backendId: string | null;
  readonly backendType: BackendType | null;
  readonly rules: readonly ZoneRule[];
  readonly spec: ZoneSpec;
  /** False if the zone was created with its first name. */
  readonly managed: boolean;
  readonly version: number;
  readonly createdAt: Date;
}

type Raw = Omit<AdminZone, 'rules' | 'spec' | 'managed'> & {
  readonly rules: string;
  readonly spec: string;
  readonly managed: number;
};

const noSpec: ZoneSpec = { nameServers: [], isSigned: false, secondaries: [] };
const selected = `SELECT z.writer AS id, z.name, z.backend_id AS backendId, b.type AS backendType, z.rules, z.spec, z.managed,
  z.version, z.created_at AS createdAt FROM dns_zone z LEFT JOIN dns_backend b ON b.id = z.backend_id`;

export async function readZoneById(db: Sql, id: string): Promise<AdminZone | undefined> {
  return toZone((await db.query<Raw>(`${selected} WHERE z.writer = ?`, [id]))[0]);
}

export async function readZoneNamed(db: Sql, name: string): Promise<AdminZone | undefined> {
  return toZone((await db.query<Raw>(`${selected} WHERE z.name = ?`, [name]))[0]);
}

export async function zonesOf(db: Sql, backendId: string, take: number): Promise<readonly AdminZone[]> {
  const raws = await db.query<Raw>(`${selected} WHERE z.backend_id = ? ORDER BY z.name LIMIT ?`, [backendId, take]);
  return raws.flatMap((raw) => toZone(raw) ?? []);
}

/** The longest zone that contains the name. Undefined if no known zone does. */
export async function zoneOfName(db: Sql, name: string): Promise<AdminZone | undefined> {
  const labels = name.split('.');
  const suffixes = labels.map((_label, index) => labels.slice(index).join('.'));
  const marks = suffixes.map(() => '?').join(', ');
  const sql = `${selected} WHERE z.name IN (${marks}) ORDER BY CHAR_LENGTH(z.name) DESC LIMIT 1`;
  return toZone((await db.query<Raw>(sql, suffixes))[0]);
}

export async function lockZone(tx: Transaction, name: string): Promise<boolean> {
  return (await tx.query('SELECT 1 FROM dns_zone WHERE name = ? FOR UPDATE', [name])).length > 0;
}

export async function insertZone(
  tx: Transaction,
  { name, backendId, rules, spec }: Pick<AdminZone, 'name' | 'backendId' | 'rules' | 'spec'>,
): Promise<void> {
  await tx.execute('INSERT INTO dns_zone (name, writer, backend_id, rules, spec, managed) VALUES (?, ?, ?, ?, ?, 1)', [
    ...[name, newToken(), backendId, JSON.stringify(rules), JSON.stringify(spec)],
  ]);
}

export async function changeZone(
  tx: Transaction,
  { name, backendId, rules, spec }: Pick<AdminZone, 'name' | 'backendId' | 'rules' | 'spec'>,
): Promise<void> {
  const sql =
    'UPDATE dns_zone SET backend_id = ?, rules = ?, spec = ?, managed = 1, version = version + 1 WHERE name = ?';
  await tx.execute(sql, [backendId, JSON.stringify(rules), JSON.stringify(spec), name]);
}

export async function deleteZone(tx: Transaction, name: string): Promise<void> {
  await tx.execute('DELETE FROM dns_zone WHERE name = ?', [name]);
}

/** One of its names, possibly withdrawn. Undefined if it has none. */
export async function nameIn(tx: Sql, zone: string): Promise<string | undefined> {
  const sql = 'SELECT name FROM dns_record_set WHERE zone = ? ORDER BY withdrawn, name LIMIT 1';
  return (await tx.query<{ name: string }>(sql, [zone]))[0]?.name;
}

function toZone(raw: Raw | undefined): AdminZone | undefined {
  if (raw === undefined) return undefined;
  const spec = { ...noSpec, ...(JSON.parse(raw.spec) as Partial<ZoneSpec>) };
  return { ...raw, rules: JSON.parse(raw.rules) as ZoneRule[], spec, managed: raw.managed === 1 };
}
