// SQL of zones that our own name servers answer: their generations, and which name changed in which of them. A zone's row is locked after
// those of its names.
import type { ZoneHead } from '../../../dns/policy/plan.ts';
import { type BackendType, backendTypes, capabilities } from '../../../dns/records/backend-types.ts';
import type { Sql, SqlValue, Transaction } from '../../../platform/database/database.ts';
import { marksFor } from '../../../platform/database/sql.ts';
import type { Sealer } from '../../../platform/secrets/seal.ts';
import type { Wake } from '../../../platform/wake.ts';
import type { ZoneSpec } from '../objects/specs.ts';
import { openText, sealedText, zoneKeysPlace } from './sealed-text.ts';
import { inPages } from './vote-store.ts';
import type { ZoneKey } from './zone-keys.ts';

export interface ZoneRow {
  /** Without a final dot. */
  readonly name: string;
  readonly spec: ZoneSpec;
  readonly backendType: BackendType;
  readonly generation: number;
  /** Without private keys and client maps; null: the usual one. */
  readonly head: ZoneHead | null;
  readonly keysSealed: string | null;
}

/** Wakes the sessions of name servers: something changed in some zone. */
export const zonesTopic = 'gslb-zones';

/** Wakes whoever makes the keys of zones. */
export const newZoneTopic = 'gslb-new-zone';

type Raw = Omit<ZoneRow, 'spec' | 'head'> & { readonly spec: string; readonly head: string | null };

const columns = 'name, spec, backend_type AS backendType, generation, head, keys_sealed AS keysSealed';

function toRow(raw: Raw): ZoneRow {
  return { ...raw, spec: JSON.parse(raw.spec), head: raw.head === null ? null : JSON.parse(raw.head) };
}

export async function readZones(db: Sql): Promise<readonly ZoneRow[]> {
  return (await db.query<Raw>(`SELECT ${columns} FROM gslb_zone ORDER BY name`)).map(toRow);
}

/** By name. */
export async function readZonesNamed(db: Sql, names: readonly string[]): Promise<ReadonlyMap<string, ZoneRow>> {
  const rows = await inPages(names, (page) =>
    db.query<Raw>(`SELECT ${columns} FROM gslb_zone WHERE name IN (${marksFor(page)})`, page),
  );
  return new Map(rows.map((raw) => [raw.name, toRow(raw)]));
}

/** Whether our own name servers answer it. A zone of which nothing is known is nobody else's. */
export function isAnswered(zone: Pick<ZoneRow, 'backendType'> | undefined): boolean {
  return zone === undefined || capabilities[zone.backendType].policies;
}

export interface ZoneGeneration {
  readonly name: string;
  readonly generation: number;
}

/** Of those that our own name servers answer. */
export async function zoneGenerations(db: Sql): Promise<readonly ZoneGeneration[]> {
  const taking = backendTypes.filter((type) => capabilities[type].policies);
  const sql = `SELECT name, generation FROM gslb_zone WHERE backend_type IN (${marksFor(taking)}) ORDER BY name`;
  return db.query<ZoneGeneration>(sql, taking);
}

export interface ChangedName {
  readonly zone: string;
  /** Null: all but the names. */
  readonly fqdn: string | null;
  readonly gslbId: string | null;
}

/** Each change is a generation of its zone; zones are locked in the order of their names. A zone that is not there is left out. */
export async function changeZones(tx: Transaction, wake: Wake, changed: readonly ChangedName[]): Promise<void> {
  if (changed.length === 0) return;
  const byZone = Map.groupBy(changed, ({ zone }) => zone);
  for (const zone of [...byZone.keys()].sort()) {
    const changes = byZone.get(zone) ?? [];
    const sql = 'SELECT generation FROM gslb_zone WHERE name = ? FOR UPDATE';
    const [row] = await tx.query<{ generation: number }>(sql, [zone]);
    if (row === undefined) continue;
    await tx.execute('UPDATE gslb_zone SET generation = ? WHERE name = ?', [row.generation + changes.length, zone]);
    await inPages(
      changes.map((change, at) => ({ ...change, generation: row.generation + at + 1 })),
      async (page) => {
        const values = page.flatMap(({ generation, fqdn, gslbId }): SqlValue[] => [zone, generation, fqdn, gslbId]);
        const rows = page.map(() => '(?, ?, ?, ?)').join(', ');
        await tx.execute(`INSERT INTO gslb_zone_change (zone, generation, fqdn, gslb_id) VALUES ${rows}`, values);
        return [];
      },
    );
  }
  tx.afterCommit(() => wake.notify(zonesTopic));
}

export interface ZoneChangeRow {
  readonly generation: number;
  readonly fqdn: string | null;
  readonly gslbId: string | null;
}

/** Those after a generation, up to another one. */
export function zoneChanges(
  db: Sql,
  { zone, from, to }: { readonly zone: string; readonly from: number; readonly to: number },
): Promise<readonly ZoneChangeRow[]> {
  const sql = `SELECT generation, fqdn, gslb_id AS gslbId FROM gslb_zone_change WHERE zone = ? AND generation > ? AND generation <= ?
    ORDER BY generation`;
  return db.query<ZoneChangeRow>(sql, [zone, from, to]);
}

/** Undefined: there is none. */
export async function lockZone(tx: Transaction, zone: string): Promise<ZoneRow | undefined> {
  return (await tx.query<Raw>(`SELECT ${columns} FROM gslb_zone WHERE name = ? FOR UPDATE`, [zone])).map(toRow)[0];
}

/** Keys (zone-keys.ts) are stored whole, with their private parts, sealed for their zone. */
export async function storeZoneKeys(
  tx: Transaction,
  wake: Wake,
  { zone, keys, sealer }: { readonly zone: string; readonly keys: readonly ZoneKey[]; readonly sealer: Sealer },
): Promise<void> {
  const text = sealedText(sealer, JSON.stringify(keys), zoneKeysPlace(zone));
  await tx.execute('UPDATE gslb_zone SET keys_sealed = ?, version = version + 1 WHERE name = ?', [text, zone]);
  await changeZones(tx, wake, [{ zone, fqdn: null, gslbId: null }]);
}

/** Throws SealError. Empty: the zone is not signed. */
export function openZoneKeys(
  { name, keysSealed }: Pick<ZoneRow, 'name' | 'keysSealed'>,
  sealer: Sealer,
): readonly ZoneKey[] {
  if (keysSealed === null) return [];
  return JSON.parse(openText(sealer, keysSealed, zoneKeysPlace(name)));
}

/** The newest generation of the zone in which the name changed; undefined: it never did, or long ago. */
export async function lastChangeOf(db: Sql, zone: string, gslbId: string): Promise<number | undefined> {
  const sql = 'SELECT MAX(generation) AS generation FROM gslb_zone_change WHERE zone = ? AND gslb_id = ?';
  return (await db.query<{ generation: number | null }>(sql, [zone, gslbId]))[0]?.generation ?? undefined;
}

/** How often the name changed after a generation of the zone. */
export async function changesAfter(
  db: Sql,
  { zone, gslbId, zoneGeneration }: { readonly zone: string; readonly gslbId: string; readonly zoneGeneration: number },
): Promise<number> {
  const sql =
    'SELECT CAST(COUNT(*) AS INT) AS count FROM gslb_zone_change WHERE zone = ? AND generation > ? AND gslb_id = ?';
  return (await db.query<{ count: number }>(sql, [zone, zoneGeneration, gslbId]))[0]?.count ?? 0;
}

/** UUIDs of names that wait for name servers, and changed last in this generation of the zone or before. */
export async function awaitedNames(
  db: Sql,
  { zone, reached }: { readonly zone: string; readonly reached: number },
): Promise<readonly string[]> {
  const rows = await db.query<{ id: string }>(
    `SELECT g.id, COALESCE(MAX(c.generation), 0) AS generation FROM gslb g
      LEFT JOIN gslb_zone_change c ON c.zone = g.zone AND c.gslb_id = g.id
    WHERE g.provisioning_status IN ('PENDING', 'ERROR') AND g.zone = ? GROUP BY g.id HAVING generation <= ? ORDER BY g.id LIMIT 1000`,
    [zone, reached],
  );
  return rows.map(({ id }) => id);
}
