// SQL of vantage points, and of the checkers that share the targets of one: those with the vantage point's epoch. The epoch rises when a checker
// joins or leaves, and votes of checkers with an older epoch don't count.
import type { Sql, Transaction } from '../../../../platform/database/database.ts';
import { marksFor } from '../../../../platform/database/sql.ts';
import { absenceReason, appendPresence } from '../../../../platform/events/presence.ts';
import { owe } from '../../../../platform/owed/owed-work.ts';
import type { Wake } from '../../../../platform/work/wake.ts';
import type { VantagePointSpec } from '../../spec/specs.ts';
import { gslbEvents } from '../events.ts';
import type { Sharer } from './sharing.ts';
import { vantageKind } from './touched.ts';

export interface VantageRow {
  readonly id: string;
  readonly name: string;
  readonly region: string;
  readonly spec: VantagePointSpec;
  readonly epoch: number;
  readonly version: number;
}

type Raw = Omit<VantageRow, 'spec'> & { readonly spec: string };

const columns = 'id, name, region, spec, epoch, version';

function toRow(raw: Raw): VantageRow {
  return { ...raw, spec: JSON.parse(raw.spec) };
}

/** Wakes the sessions of its checkers after a change of the set that shares its targets. */
export function vantageTopic(id: string): string {
  return `gslb-vantage/${id}`;
}

/** Vantage points that are not deleted, by name. There are few: each is a location in the world. */
export async function readVantagePoints(db: Sql): Promise<readonly VantageRow[]> {
  const sql = `SELECT ${columns} FROM gslb_vantage_point WHERE deleted_at IS NULL ORDER BY name`;
  return (await db.query<Raw>(sql)).map(toRow);
}

/** Undefined if it does not exist, or no longer. */
export async function readVantagePoint(db: Sql, id: string): Promise<VantageRow | undefined> {
  const sql = `SELECT ${columns} FROM gslb_vantage_point WHERE id = ? AND deleted_at IS NULL`;
  return (await db.query<Raw>(sql, [id])).map(toRow)[0];
}

/** Whether there is one of that name. */
export async function isVantagePoint(db: Sql, name: string): Promise<boolean> {
  return (await db.query('SELECT 1 FROM gslb_vantage_point WHERE name = ? AND deleted_at IS NULL', [name])).length > 0;
}

/** Locks vantage points that are not deleted, in the order of their IDs. */
export async function lockVantagePoints(tx: Transaction, ids: readonly string[]): Promise<readonly VantageRow[]> {
  const locked: VantageRow[] = [];
  for (const id of [...new Set(ids)].sort()) {
    const sql = `SELECT ${columns} FROM gslb_vantage_point WHERE id = ? AND deleted_at IS NULL FOR UPDATE`;
    locked.push(...(await tx.query<Raw>(sql, [id])).map(toRow));
  }
  return locked;
}

/**
 * Emits the event that a vantage point reports again or no longer reports, in the transaction that has locked its row. `last`: UUIDs of the
 * checkers that reported until now.
 */
export async function tellPresence(
  tx: Transaction,
  wake: Wake,
  row: VantageRow,
  to: 'PRESENT' | 'ABSENT',
  last: readonly string[] = [],
): Promise<void> {
  await tx.execute('UPDATE gslb_vantage_point SET version = version + 1, updated_at = NOW(3) WHERE id = ?', [row.id]);
  const subject = { projectId: null, subjectId: row.id, subjectVersion: row.version + 1 };
  const from = to === 'PRESENT' ? 'ABSENT' : 'PRESENT';
  const reason = to === 'ABSENT' ? await reasonOfAbsence(tx, row, last) : row.name;
  await appendPresence(
    tx,
    gslbEvents,
    { ...subject, kind: 'gslbChecker.state', from, to, name: row.name, reason },
    wake,
  );
  // All its votes begin to count, or cease to.
  await owe(tx, vantageKind, row.id, {}, wake);
}

async function reasonOfAbsence(tx: Transaction, { name }: VantageRow, last: readonly string[]): Promise<string> {
  if (last.length === 0) return name;
  const rows = await tx.query<{ name: string; heardAt: Date | null }>(
    `SELECT name, heard_at AS heardAt FROM gslb_checker WHERE id IN (${marksFor(last)}) ORDER BY heard_at DESC, name`,
    last,
  );
  const [newest] = rows;
  if (newest === undefined) return `${name}: it has no checker`;
  const others = rows.length === 1 ? '' : ` and ${rows.length - 1} more`;
  return absenceReason(name, newest.heardAt, `checker ${newest.name}${others}`);
}

/** The checkers that share its targets in this epoch, with their plugins. */
export async function readSharersOf(
  db: Sql,
  { id, epoch }: Pick<VantageRow, 'id' | 'epoch'>,
): Promise<readonly Sharer[]> {
  const sql = 'SELECT id, plugins FROM gslb_checker WHERE vantage_point_id = ? AND epoch = ? ORDER BY id';
  const rows = await db.query<{ id: string; plugins: string | null }>(sql, [id, epoch]);
  return rows.map((row) => ({ id: row.id, plugins: pluginsOf(row.plugins) }));
}

/** Parses the column `gslb_checker.plugins`. */
export function pluginsOf(text: string | null): ReadonlySet<string> | undefined {
  return text === null ? undefined : new Set(JSON.parse(text) as string[]);
}

/** UUIDs of the checkers that share its targets in this epoch. */
export async function sharersOf(db: Sql, { id, epoch }: Pick<VantageRow, 'id' | 'epoch'>): Promise<readonly string[]> {
  const sql = 'SELECT id FROM gslb_checker WHERE vantage_point_id = ? AND epoch = ? ORDER BY id';
  return (await db.query<{ id: string }>(sql, [id, epoch])).map((row) => row.id);
}

/**
 * Reassigns its targets among these checkers, in the transaction that has locked its row. Their votes count again once they have
 * reported in the new epoch. Returns the epoch.
 */
export async function shareAnew(
  tx: Transaction,
  wake: Wake,
  { id, epoch }: Pick<VantageRow, 'id' | 'epoch'>,
  checkerIds: readonly string[],
): Promise<number> {
  const next = epoch + 1;
  await tx.execute('UPDATE gslb_vantage_point SET epoch = ? WHERE id = ?', [next, id]);
  for (const checkerId of checkerIds.toSorted())
    await tx.execute('UPDATE gslb_checker SET epoch = ?, said_at = NULL WHERE id = ?', [next, checkerId]);
  tx.afterCommit(() => wake.notify(vantageTopic(id)));
  return next;
}
