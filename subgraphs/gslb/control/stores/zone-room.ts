// Size limits of zones. A name server receives a zone as one message of the link, whose size is limited, so changes that would
// make a zone too large are refused. Each name's row has its size, which is an estimate until its plan is computed. No project
// can fill a zone that others use: it gets at most half of the space that the others leave, so there is always room for one more
// project.
import { planBounds } from '../../../../dns/policy/plan-schema.ts';
import type { Sql, Transaction } from '../../../../platform/database/database.ts';
import { marksFor } from '../../../../platform/database/sql.ts';
import { refuse } from '../../../../platform/errors/errors.ts';
import { mostToMachineBytes } from '../../../../platform/link/messages.ts';
import type { GslbSpec, ZoneSpec } from '../../spec/specs.ts';

/** The rest is for the zone's head, and for data that grows by itself: latencies, and states of regions. */
export const mostZoneBytes = (mostToMachineBytes * 3) / 4;

/** `plan`: its stored text. `blocks`: client blocks, which are stored in the zone's head. */
export function shareOf(plan: string, blocks: GslbSpec['clientBlocks']): number {
  return Buffer.byteLength(plan) + (blocks.length === 0 ? 0 : Buffer.byteLength(JSON.stringify(blocks)));
}

/** Reserves the size of a new or changed name. Refuses LIMIT_REACHED if the zone has no room for the growth. */
export async function takeZoneRoom(
  tx: Transaction,
  {
    id,
    projectId,
    zone,
    field,
  }: { readonly id: string; readonly projectId: string; readonly zone: string; readonly field: string },
  bytes: number,
): Promise<void> {
  const [before] = await tx.query<{ bytes: number }>('SELECT plan_bytes AS bytes FROM gslb WHERE id = ?', [id]);
  await tx.execute('UPDATE gslb SET plan_bytes = ? WHERE id = ?', [bytes, id]);
  if (bytes > (before?.bytes ?? 0)) refuseFull(zone, await roomIn(tx, zone, projectId), 0, field);
}

/** Limit of names with client blocks in a zone. Each has a map of its own, in addition to the shared one. */
export const mostZoneMaps = planBounds.maps - 1;

/** Called for a name that gets client blocks. Refuses LIMIT_REACHED if the zone, or the project's share of it, has no room for another map. */
export async function refuseManyMaps(tx: Transaction, zone: string, projectId: string): Promise<void> {
  const [row] = await tx.query<{ own: number; others: number }>(
    `SELECT CAST(COALESCE(SUM(project_id = ?), 0) AS INT) AS own, CAST(COALESCE(SUM(project_id <> ?), 0) AS INT) AS others
    FROM gslb WHERE zone = ? AND live_fqdn IS NOT NULL AND JSON_LENGTH(spec, '$.clientBlocks') > 0`,
    [projectId, projectId, zone],
  );
  const [own, others] = [Number(row?.own ?? 0), Number(row?.others ?? 0)];
  const most = (await isAlone(tx, zone, projectId)) ? mostZoneMaps - others : Math.floor((mostZoneMaps - others) / 2);
  if (own > most)
    refuse(
      'LIMIT_REACHED',
      `this project would have ${own} names with clientBlocks in the zone ${zone}; ${most} are allowed: use another zone, or leave clientBlocks out`,
      { field: ['input', 'clientBlocks'] },
    );
}

/** The same check for an addition to each of these names. Zones of other backends have no limit. */
export async function refuseTooLarge(
  sql: Sql,
  {
    gslbIds,
    projectId,
    bytes,
    zones,
    field,
  }: {
    readonly gslbIds: readonly string[];
    /** The project of all names. */
    readonly projectId: string;
    readonly bytes: number;
    readonly zones: readonly string[];
    readonly field: string;
  },
): Promise<void> {
  if (gslbIds.length === 0) return;
  for (const zone of zones) {
    const [row] = await sql.query<{ count: number }>(
      `SELECT CAST(COUNT(*) AS INT) AS count FROM gslb WHERE zone = ? AND id IN (${marksFor(gslbIds)})`,
      [zone, ...gslbIds],
    );
    refuseFull(zone, await roomIn(sql, zone, projectId), (row?.count ?? 0) * bytes, field);
  }
}

interface Room {
  /** Bytes of the project's names and of others'. */
  readonly own: number;
  readonly others: number;
  /** Whether only this project has rights in the zone. It may then fill the zone. */
  readonly alone: boolean;
}

async function roomIn(sql: Sql, zone: string, projectId: string): Promise<Room> {
  const text = `SELECT CAST(COALESCE(SUM(IF(project_id = ?, plan_bytes, 0)), 0) AS INT) AS own,
    CAST(COALESCE(SUM(IF(project_id = ?, 0, plan_bytes)), 0) AS INT) AS others FROM gslb WHERE zone = ?`;
  const [row] = await sql.query<{ own: number; others: number }>(text, [projectId, projectId, zone]);
  const alone = await isAlone(sql, zone, projectId);
  return { own: Number(row?.own ?? 0), others: Number(row?.others ?? 0), alone };
}

async function isAlone(sql: Sql, zone: string, projectId: string): Promise<boolean> {
  const [found] = await sql.query<{ spec: string }>('SELECT spec FROM gslb_zone WHERE name = ?', [zone]);
  const { rights = [] } = JSON.parse(found?.spec ?? '{}') as Partial<ZoneSpec>;
  return rights.length > 0 && rights.every((right) => right.projectId === projectId);
}

function refuseFull(zone: string, { own, others, alone }: Room, more: number, field: string): void {
  const bytes = own + others + more;
  if (bytes > mostZoneBytes)
    refuse(
      'LIMIT_REACHED',
      `the zone ${zone} would have ${bytes} bytes; name servers get it whole, so ${mostZoneBytes} are allowed: use another zone, fewer members, or fewer blocks of clients`,
      { field: ['input', field] },
    );
  const share = Math.floor((mostZoneBytes - others) / 2);
  if (!alone && own + more > share)
    refuse(
      'LIMIT_REACHED',
      `this project would have ${own + more} bytes in the zone ${zone}; the limit is half of the room that other projects leave, which is ${share}: use a zone whose rights are this project's alone, fewer members, or fewer blocks of clients`,
      { field: ['input', field] },
    );
}
