// SQL of zones that our own name servers answer: their generations, and the names that changed in each. A zone's row is locked
// after the rows of its names.
import { randomInt } from 'node:crypto';
import type { ZoneHead } from '../../../../dns/policy/plan.ts';
import { type BackendType, backendTypes, capabilities } from '../../../../dns/records/backend-types.ts';
import type { Sql, SqlValue, Transaction } from '../../../../platform/database/database.ts';
import { marksFor } from '../../../../platform/database/sql.ts';
import { historySql, readHistory } from '../../../../platform/events/database-history.ts';
import type { Sealer } from '../../../../platform/secrets/seal.ts';
import { comparePositions, type Position } from '../../../../platform/values/positions.ts';
import type { Wake } from '../../../../platform/work/wake.ts';
import type { ZoneSpec } from '../../spec/specs.ts';
import { openText, sealedText, zoneKeysPlace } from './sealed-text.ts';
import { inPages } from './vote-store.ts';
import type { ZoneKey } from './zone-keys.ts';

export interface ZoneRow {
  /** Without a final dot. */
  readonly name: string;
  readonly spec: ZoneSpec;
  readonly backendType: BackendType;
  readonly generation: number;
  /** History of the generation, as on the wire. */
  readonly history: string;
  readonly serialBase: number;
  /** Without private keys and client maps. Null for the default head. */
  readonly head: ZoneHead | null;
  readonly keysSealed: string | null;
}

/** Wakes the sessions of name servers after a change of any zone. */
export const zonesTopic = 'gslb-zones';

/** Wakes the loop that makes zone keys. */
export const newZoneTopic = 'gslb-new-zone';

type Raw = Omit<ZoneRow, 'spec' | 'head'> & { readonly spec: string; readonly head: string | null };

/**
 * Identifies the history of a generation: the database's history, and the zone, because a new zone may get the name of a deleted
 * one.
 */
const zoneHistorySql = "CONCAT(COALESCE(history, ''), '/', id)";

const isCurrentSql = `COALESCE(history = ${historySql}, 0)`;

const columns = `name, spec, backend_type AS backendType, generation, ${zoneHistorySql} AS history, serial_base AS serialBase, head, keys_sealed AS keysSealed`;

function toRow(raw: Raw): ZoneRow {
  return { ...raw, spec: JSON.parse(raw.spec), head: raw.head === null ? null : JSON.parse(raw.head) };
}

/** Keyed by name. */
export async function readZonesNamed(db: Sql, names: readonly string[]): Promise<ReadonlyMap<string, ZoneRow>> {
  const rows = await inPages(names, (page) =>
    db.query<Raw>(`SELECT ${columns} FROM gslb_zone WHERE name IN (${marksFor(page)})`, page),
  );
  return new Map(rows.map((raw) => [raw.name, toRow(raw)]));
}

/** Whether our own name servers answer it. An unknown zone is not another server's. */
export function isAnswered(zone: Pick<ZoneRow, 'backendType'> | undefined): boolean {
  return zone === undefined || capabilities[zone.backendType].policies;
}

export interface ZonePosition {
  readonly name: string;
  readonly position: Position;
  /** False if the database has started a new history since the zone changed. `beginZoneHistories` then moves the zone there. */
  readonly isCurrent: boolean;
}

/** Positions of the zones that our own name servers answer. */
export async function zonePositions(db: Sql): Promise<readonly ZonePosition[]> {
  const taking = backendTypes.filter((type) => capabilities[type].policies);
  const rows = await db.query<{ name: string; generation: number; history: string; isCurrent: number }>(
    `SELECT name, generation, ${zoneHistorySql} AS history, ${isCurrentSql} AS isCurrent FROM gslb_zone
    WHERE backend_type IN (${marksFor(taking)}) ORDER BY name`,
    taking,
  );
  return rows.map(({ name, generation, history, isCurrent }) => ({
    ...{ name, position: { history, number: generation }, isCurrent: isCurrent === 1 },
  }));
}

export interface ChangedName {
  readonly zone: string;
  /** Null if the change affects only the zone's head. */
  readonly fqdn: string | null;
  readonly gslbId: string | null;
}

/** Starts a new zone, which does not inherit changes of a deleted zone with its name. */
export async function beginZoneChanges(tx: Transaction, zone: string): Promise<void> {
  await tx.execute('DELETE FROM gslb_zone_change WHERE zone = ?', [zone]);
}

/** Makes each change a generation of its zone. Locks zones in the order of their names. Ignores missing zones. */
export async function changeZones(tx: Transaction, wake: Wake, changed: readonly ChangedName[]): Promise<void> {
  if (changed.length === 0) return;
  const byZone = Map.groupBy(changed, ({ zone }) => zone);
  for (const zone of [...byZone.keys()].sort()) {
    const changes = byZone.get(zone) ?? [];
    const row = await lockCurrent(tx, zone);
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

/** Moves these zones of earlier histories to the current one. Name servers then receive them as a whole. */
export async function beginZoneHistories(tx: Transaction, wake: Wake, zones: readonly string[]): Promise<void> {
  for (const zone of [...zones].sort()) await lockCurrent(tx, zone);
  tx.afterCommit(() => wake.notify(zonesTopic));
}

/**
 * Called when a name server answers with a serial of another history. If the zone's serial is not higher (RFC 1982), the zone gets an unused one, so
 * that serials never fall and two servers never have the same one for different content.
 */
export async function raiseSerial(
  tx: Transaction,
  wake: Wake,
  { zone, position, serial }: { readonly zone: string; readonly position: Position; readonly serial: number },
): Promise<void> {
  const row = await lockCurrent(tx, zone);
  if (row === undefined || row.history === position.history) return;
  const ahead = (serial - row.serialBase - row.generation) % 2 ** 32;
  const aheadBy = ahead < 0 ? ahead + 2 ** 32 : ahead;
  if (aheadBy >= 2 ** 31) return;
  await raiseBase(tx, zone, aheadBy + serialLeap());
  await changeZones(tx, wake, [{ zone, fqdn: null, gslbId: null }]);
}

/**
 * Called when a name server has a newer generation than the database in the same history: the zone was set back. It continues above that generation,
 * with an unused serial. Throws if no zone can be that far ahead, so that the server's report must be false.
 */
export async function leapZone(tx: Transaction, wake: Wake, zone: string, has: Position): Promise<void> {
  const row = await lockCurrent(tx, zone);
  if (row === undefined || comparePositions(has, { ...row, number: row.generation }) !== 'AHEAD') return;
  if (has.number - row.generation > furthestAhead)
    throw new Error(`a name server reports generation ${has.number} of the zone ${zone}, which does not exist`);
  // Skips one generation, so that no change follows the server's position, and it needs the whole zone.
  await tx.execute('UPDATE gslb_zone SET generation = ? WHERE name = ?', [has.number + 1, zone]);
  await raiseBase(tx, zone, serialLeap());
  await changeZones(tx, wake, [{ zone, fqdn: null, gslbId: null }]);
}

/** Locks the zone's row, and brings its generation to the current history. Undefined if there is no such zone. */
async function lockCurrent(
  tx: Transaction,
  zone: string,
): Promise<{ readonly generation: number; readonly history: string; readonly serialBase: number } | undefined> {
  const sql = `SELECT generation, ${zoneHistorySql} AS history, serial_base AS serialBase, ${isCurrentSql} AS isCurrent
    FROM gslb_zone WHERE name = ? FOR UPDATE`;
  type Row = { generation: number; history: string; serialBase: number; isCurrent: number };
  const [row] = await tx.query<Row>(sql, [zone]);
  if (row === undefined || row.isCurrent === 1) return row;
  await tx.execute('UPDATE gslb_zone SET history = ? WHERE name = ?', [await readHistory(tx), zone]);
  // A zone without changes was never sent to a server.
  if (row.generation > 0) await raiseBase(tx, zone, serialLeap());
  return (await tx.query<Row>(sql, [zone]))[0];
}

const furthestAhead = 1_000_000;

/** More changes than an earlier history can have had beyond this one, plus a random number, so that two histories do not meet. */
function serialLeap(): number {
  return 2 ** 24 + randomInt(2 ** 24);
}

async function raiseBase(tx: Transaction, zone: string, by: number): Promise<void> {
  const sql = 'UPDATE gslb_zone SET serial_base = (serial_base + ?) % 4294967296 WHERE name = ?';
  await tx.execute(sql, [by, zone]);
}

interface ZoneChangeRow {
  readonly generation: number;
  readonly fqdn: string | null;
  readonly gslbId: string | null;
}

/** Changes after one generation, up to another. */
export function zoneChanges(
  db: Sql,
  { zone, from, to }: { readonly zone: string; readonly from: number; readonly to: number },
): Promise<readonly ZoneChangeRow[]> {
  const sql = `SELECT generation, fqdn, gslb_id AS gslbId FROM gslb_zone_change WHERE zone = ? AND generation > ? AND generation <= ?
    ORDER BY generation`;
  return db.query<ZoneChangeRow>(sql, [zone, from, to]);
}

/** Undefined if there is none. */
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
  await tx.execute('UPDATE gslb_zone SET keys_sealed = ?, version = version + 1, updated_at = NOW(3) WHERE name = ?', [
    text,
    zone,
  ]);
  await changeZones(tx, wake, [{ zone, fqdn: null, gslbId: null }]);
}

/** Throws SealError. Empty if the zone is not signed. */
export function openZoneKeys(
  { name, keysSealed }: Pick<ZoneRow, 'name' | 'keysSealed'>,
  sealer: Sealer,
): readonly ZoneKey[] {
  if (keysSealed === null) return [];
  return JSON.parse(openText(sealer, keysSealed, zoneKeysPlace(name)));
}

/** The newest position of the zone at which the name changed. Undefined if it never did, or too long ago. */
export async function lastChangeOf(db: Sql, zone: string, gslbId: string): Promise<Position | undefined> {
  const [row] = await db.query<{ number: number | null; history: string | null }>(
    `SELECT MAX(generation) AS number, (SELECT ${zoneHistorySql} FROM gslb_zone WHERE name = ?) AS history
    FROM gslb_zone_change WHERE zone = ? AND gslb_id = ?`,
    [zone, zone, gslbId],
  );
  if (row === undefined || row.number === null || row.history === null) return undefined;
  return { history: row.history, number: row.number };
}

/** Number of changes of the name after a generation of the zone. */
export async function changesAfter(
  db: Sql,
  { zone, gslbId, zoneGeneration }: { readonly zone: string; readonly gslbId: string; readonly zoneGeneration: number },
): Promise<number> {
  const sql =
    'SELECT CAST(COUNT(*) AS INT) AS count FROM gslb_zone_change WHERE zone = ? AND generation > ? AND gslb_id = ?';
  return (await db.query<{ count: number }>(sql, [zone, zoneGeneration, gslbId]))[0]?.count ?? 0;
}

/** UUIDs of names that wait for name servers, and last changed at or before this position of the zone. */
export async function awaitedNames(
  db: Sql,
  { zone, reached }: { readonly zone: string; readonly reached: Position },
): Promise<readonly string[]> {
  const rows = await db.query<{ id: string }>(
    `SELECT g.id, COALESCE(MAX(c.generation), 0) AS generation FROM gslb g
      LEFT JOIN gslb_zone_change c ON c.zone = g.zone AND c.gslb_id = g.id
    WHERE g.provisioning_status IN ('PENDING', 'DELETING', 'ERROR') AND g.zone = ?
      AND EXISTS (SELECT 1 FROM gslb_zone WHERE name = ? AND ${zoneHistorySql} = ?)
    GROUP BY g.id HAVING generation <= ? ORDER BY g.id LIMIT 1000`,
    [zone, zone, reached.history, reached.number],
  );
  return rows.map(({ id }) => id);
}
