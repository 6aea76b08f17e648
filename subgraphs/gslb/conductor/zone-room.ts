// A name server gets a zone as one message of the link, which has a limit: what would make a zone too large for it is refused before. Each
// name's row has its share, an estimate until its plan is made.
import type { Sql, Transaction } from '../../../platform/database/database.ts';
import { marksFor } from '../../../platform/database/sql.ts';
import { refuse } from '../../../platform/errors.ts';
import { mostToMachineBytes } from '../../../platform/link/messages.ts';
import type { GslbSpec } from '../objects/specs.ts';

/** The rest is for the zone's head, and for what grows by itself: latencies, and the states of regions. */
export const mostZoneBytes = (mostToMachineBytes * 3) / 4;

/** `plan`: as it is stored; `blocks`: of its clients, which are in the zone's head. */
export function shareOf(plan: string, blocks: GslbSpec['clientBlocks']): number {
  return Buffer.byteLength(plan) + (blocks.length === 0 ? 0 : Buffer.byteLength(JSON.stringify(blocks)));
}

/** A name is new, or changed: it will take so much. Refuses LIMIT_REACHED where the zone has no room for more than it took before. */
export async function takeZoneRoom(
  tx: Transaction,
  { id, zone, field }: { readonly id: string; readonly zone: string; readonly field: string },
  bytes: number,
): Promise<void> {
  const [before] = await tx.query<{ bytes: number }>('SELECT plan_bytes AS bytes FROM gslb WHERE id = ?', [id]);
  await tx.execute('UPDATE gslb SET plan_bytes = ? WHERE id = ?', [bytes, id]);
  if (bytes > (before?.bytes ?? 0)) refuseFull(zone, await bytesIn(tx, zone), field);
}

/** The same for something that each of these names is to have more. Zones that others answer have no such limit. */
export async function refuseTooLarge(
  sql: Sql,
  {
    gslbIds,
    bytes,
    zones,
    field,
  }: {
    readonly gslbIds: readonly string[];
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
    refuseFull(zone, (await bytesIn(sql, zone)) + (row?.count ?? 0) * bytes, field);
  }
}

async function bytesIn(sql: Sql, zone: string): Promise<number> {
  const text = 'SELECT COALESCE(SUM(plan_bytes), 0) AS bytes FROM gslb WHERE zone = ?';
  return Number((await sql.query<{ bytes: number }>(text, [zone]))[0]?.bytes ?? 0);
}

function refuseFull(zone: string, bytes: number, field: string): void {
  if (bytes > mostZoneBytes)
    refuse(
      'LIMIT_REACHED',
      `the zone ${zone} would have ${bytes} bytes; name servers get it whole, so ${mostZoneBytes} are allowed: use another zone, fewer members, or fewer blocks of clients`,
      { field: ['input', field] },
    );
}
