// SQL of checkers: what report-ledger.ts knows of each, and when it was heard. All times are the database's.
import type { Database, Sql, SqlValue, Transaction } from '../../../platform/database/database.ts';
import { marksFor } from '../../../platform/database/sql.ts';
import type { JsonObject } from '../../../platform/json.ts';
import type { MachineName } from '../../../platform/machines/machine.ts';
import type { Wake } from '../../../platform/wake.ts';
import { type CheckerState, grantIncarnation } from './report-ledger.ts';
import { lockVantagePoints, shareAnew, sharersOf, tellPresence, type VantageRow } from './vantage-store.ts';

export interface CheckerRow {
  /** UUID of the machine that joined. */
  readonly id: string;
  readonly name: string;
  readonly vantagePointId: string;
  readonly incarnation: number;
  /** The last of the vantage point in which it shared targets. */
  readonly epoch: number;
  readonly batch: number;
  readonly saidAt: Date | null;
  readonly abstains: boolean;
  readonly heardAt: Date | null;
}

type Raw = Omit<CheckerRow, 'abstains'> & { readonly abstains: number };

const columns = `id, name, vantage_point_id AS vantagePointId, incarnation, epoch, batch, said_at AS saidAt, abstains, heard_at AS heardAt`;

function toRow(raw: Raw): CheckerRow {
  return { ...raw, abstains: raw.abstains === 1 };
}

/** Milliseconds since 1970 by the database's clock, which makes all stamps. */
export async function databaseNow(db: Sql): Promise<number> {
  const [row] = await db.query<{ now: Date }>('SELECT NOW(3) AS now');
  return (row?.now ?? new Date(0)).getTime();
}

export async function readCheckers(db: Sql): Promise<readonly CheckerRow[]> {
  return (await db.query<Raw>(`SELECT ${columns} FROM gslb_checker ORDER BY id`)).map(toRow);
}

export async function readChecker(db: Sql, id: string): Promise<CheckerRow | undefined> {
  return (await db.query<Raw>(`SELECT ${columns} FROM gslb_checker WHERE id = ?`, [id])).map(toRow)[0];
}

/** Those that no other transaction holds, in the order of their ids. */
export async function lockFreeCheckers(tx: Transaction, ids: readonly string[]): Promise<readonly CheckerRow[]> {
  const sql = `SELECT ${columns} FROM gslb_checker WHERE id IN (${marksFor(ids)}) ORDER BY id FOR UPDATE SKIP LOCKED`;
  return (await tx.query<Raw>(sql, ids)).map(toRow);
}

/** Their batches came, and are not recorded yet. Those that another transaction holds are left out: that one records them. */
export async function hearCheckers(db: Database, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  await db.transaction(async (tx) => {
    const free = (await lockFreeCheckers(tx, ids)).map(({ id }) => id);
    if (free.length === 0) return;
    await tx.execute(`UPDATE gslb_checker SET heard_at = NOW(3) WHERE id IN (${marksFor(free)})`, free);
  });
}

export async function lockChecker(tx: Transaction, id: string): Promise<CheckerRow | undefined> {
  return (await tx.query<Raw>(`SELECT ${columns} FROM gslb_checker WHERE id = ? FOR UPDATE`, [id])).map(toRow)[0];
}

/** As the ledger has it. `vantagePoint`: by name, as batches have it. */
export function stateOf(row: CheckerRow, vantagePoint: string): CheckerState {
  const { incarnation, epoch, batch, saidAt, abstains } = row;
  return { vantagePoint, incarnation, epoch, batch, saidAtMs: saidAt?.getTime() ?? null, abstains };
}

export interface Counted {
  readonly checker: CheckerRow;
  readonly state: CheckerState;
  readonly load: JsonObject;
}

/** What counted of batches, in the transaction that has locked the checkers' rows; the checkers were heard. */
export async function recordBatches(tx: Transaction, counted: readonly Counted[]): Promise<void> {
  if (counted.length === 0) return;
  const values = counted.flatMap(({ checker: { id, vantagePointId, name }, state, load }): SqlValue[] => [
    ...[id, vantagePointId, name, state.batch, state.saidAtMs === null ? null : new Date(state.saidAtMs)],
    ...[state.abstains, JSON.stringify(load)],
  ]);
  // The rows are there: one statement updates all of them.
  await tx.execute(
    `INSERT INTO gslb_checker (id, vantage_point_id, name, batch, said_at, abstains, machine_load, heard_at)
    VALUES ${counted.map(() => '(?, ?, ?, ?, ?, ?, ?, NOW(3))').join(', ')}
    ON DUPLICATE KEY UPDATE batch = VALUES(batch), said_at = VALUES(said_at), abstains = VALUES(abstains),
      machine_load = VALUES(machine_load), heard_at = VALUES(heard_at)`,
    values,
  );
}

export interface Connection {
  readonly machine: Pick<MachineName, 'id' | 'name'>;
  readonly vantagePoint: string;
  readonly facts: JsonObject;
  /** The process to which it is connected. */
  readonly linkedTo: string;
}

export interface Granted {
  readonly vantagePointId: string;
  readonly incarnation: number;
  /** The last batch that counted of the incarnation before. */
  readonly counted: number;
}

/**
 * A checker connects: it is granted an incarnation, and shares the targets of its vantage point from now on. Throws when the vantage point
 * does not exist, or another machine had the checker's name there.
 */
export async function connectChecker(tx: Transaction, wake: Wake, connection: Connection): Promise<Granted> {
  const { machine, vantagePoint: name, facts, linkedTo } = connection;
  const wanted = 'SELECT id FROM gslb_vantage_point WHERE name = ? AND deleted_at IS NULL';
  const [named] = await tx.query<{ id: string }>(wanted, [name]);
  if (named === undefined) throw new Error(`no vantage point ${name}: create it with gslbVantagePointCreate`);
  const known = await readChecker(tx, machine.id);
  const vantagePoints = await lockVantagePoints(tx, [named.id, ...(known === undefined ? [] : [known.vantagePointId])]);
  const vantagePoint = vantagePoints.find(({ id }) => id === named.id);
  if (vantagePoint === undefined) throw new Error(`the vantage point ${name} was just deleted`);
  if (known === undefined)
    await tx.execute('INSERT INTO gslb_checker (id, vantage_point_id, name, epoch) VALUES (?, ?, ?, 0)', [
      ...[machine.id, named.id, machine.name],
    ]);
  const before = await lockChecker(tx, machine.id);
  if (before === undefined) throw new Error(`the checker ${machine.name} was not recorded`);
  const left = before.vantagePointId === named.id ? undefined : before.vantagePointId;
  const { incarnation } = grantIncarnation(stateOf(before, name));
  await tx.execute(
    `UPDATE gslb_checker SET vantage_point_id = ?, name = ?, incarnation = ?, batch = 0, said_at = NULL, abstains = 0, facts = ?,
      linked_to = ?, heard_at = NOW(3) WHERE id = ?`,
    [named.id, machine.name, incarnation, JSON.stringify(facts), linkedTo, machine.id],
  );
  const old = vantagePoints.find(({ id }) => id === left);
  if (old !== undefined) await leave(tx, wake, old, machine.id);
  const others = (await sharersOf(tx, vantagePoint)).filter((id) => id !== machine.id);
  const shares = left === undefined && before.epoch === vantagePoint.epoch;
  // One that was away for less than the silence limit shares as before.
  if (!shares) await shareAnew(tx, wake, vantagePoint, [...others, machine.id]);
  if (!shares && others.length === 0) await tellPresence(tx, wake, vantagePoint, 'PRESENT');
  return { vantagePointId: named.id, incarnation, counted: before.batch };
}

/** The others share the targets from now on; in the transaction that has locked the vantage point's row. */
async function leave(tx: Transaction, wake: Wake, vantagePoint: VantageRow, checkerId: string): Promise<void> {
  const others = (await sharersOf(tx, vantagePoint)).filter((id) => id !== checkerId);
  await shareAnew(tx, wake, vantagePoint, others);
  if (others.length === 0) await tellPresence(tx, wake, vantagePoint, 'ABSENT');
}

/** Those that share the targets of a vantage point, and were not heard for so long; for half as long if their connection has ended. */
export function silentCheckers(
  db: Sql,
  silenceMs: number,
): Promise<readonly Pick<CheckerRow, 'id' | 'name' | 'vantagePointId' | 'heardAt'>[]> {
  return db.query(
    `SELECT c.id, c.name, c.vantage_point_id AS vantagePointId, c.heard_at AS heardAt FROM gslb_vantage_point v
      JOIN gslb_checker c ON c.vantage_point_id = v.id AND c.epoch = v.epoch
    WHERE c.heard_at IS NULL OR c.heard_at < NOW(3) - INTERVAL IF(c.linked_to IS NULL, ? DIV 2, ?) * 1000 MICROSECOND
      OR c.heard_at > NOW(3) + INTERVAL ? * 1000 MICROSECOND ORDER BY c.id LIMIT 1000`,
    [silenceMs, silenceMs, silenceMs],
  );
}

/** A checker that is still as it was seen shares the targets no longer; whoever comes second finds nothing. */
export async function endSharing(
  tx: Transaction,
  wake: Wake,
  seen: Pick<CheckerRow, 'id' | 'vantagePointId' | 'heardAt'>,
): Promise<boolean> {
  const [vantagePoint] = await lockVantagePoints(tx, [seen.vantagePointId]);
  const row = await lockChecker(tx, seen.id);
  if (vantagePoint === undefined || row === undefined) return false;
  const isSame = row.vantagePointId === vantagePoint.id && row.epoch === vantagePoint.epoch;
  if (!isSame || row.heardAt?.getTime() !== seen.heardAt?.getTime()) return false;
  await leave(tx, wake, vantagePoint, row.id);
  return true;
}

/** Its connection ended: it may come back to another process. */
export async function endConnection(
  db: Sql,
  { id, incarnation }: { readonly id: string; readonly incarnation: number },
) {
  await db.execute('UPDATE gslb_checker SET linked_to = NULL WHERE id = ? AND incarnation = ?', [id, incarnation]);
}

/** Whether a checker was heard within the silence limit. One that was heard far ahead was so before the clock was set back. */
export function isPresent({ heardAt }: Pick<CheckerRow, 'heardAt'>, nowMs: number, silenceMs: number): boolean {
  if (heardAt === null) return false;
  const agoMs = nowMs - heardAt.getTime();
  return agoMs < silenceMs && agoMs > -silenceMs;
}
