// SQL of checkers: the state that batch-ledger.ts needs, and the time of the last report. All times are the database's.
import type { Database, Sql, SqlValue, Transaction } from '../../../../platform/database/database.ts';
import { marksFor } from '../../../../platform/database/sql.ts';
import { readHistory } from '../../../../platform/events/database-history.ts';
import { LinkRefusal } from '../../../../platform/link/link-server.ts';
import { type CheckerRecord, checkerRecordsOf } from '../../../../platform/machines/checker-record.ts';
import type { MachineName } from '../../../../platform/machines/machine.ts';
import type { JsonObject } from '../../../../platform/values/json.ts';
import type { Wake } from '../../../../platform/work/wake.ts';
import { type CheckerState, grantIncarnation } from './batch-ledger.ts';
import { lockVantagePoints, pluginsOf, shareAnew, sharersOf, tellPresence, type VantageRow } from './vantage-store.ts';
import { inPages } from './vote-store.ts';

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
  /** Names of its check plugins. Undefined if it named none. */
  readonly plugins: ReadonlySet<string> | undefined;
}

type Raw = Omit<CheckerRow, 'abstains' | 'plugins'> & { readonly abstains: number; readonly plugins: string | null };

const columns = `id, name, vantage_point_id AS vantagePointId, incarnation, epoch, batch, said_at AS saidAt, abstains, heard_at AS heardAt,
  plugins`;

function toRow(raw: Raw): CheckerRow {
  return { ...raw, abstains: raw.abstains === 1, plugins: pluginsOf(raw.plugins) };
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

/** Checkers that no other transaction has locked, in the order of their IDs. */
export async function lockFreeCheckers(tx: Transaction, ids: readonly string[]): Promise<readonly CheckerRow[]> {
  const sql = `SELECT ${columns} FROM gslb_checker WHERE id IN (${marksFor(ids)}) ORDER BY id FOR UPDATE SKIP LOCKED`;
  return (await tx.query<Raw>(sql, ids)).map(toRow);
}

/**
 * Records that batches of these checkers arrived, before they are processed. Checkers locked by another transaction are left out,
 * because that transaction records it.
 */
export async function hearCheckers(db: Database, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  await db.transaction(async (tx) => {
    const free = (await lockFreeCheckers(tx, ids)).map(({ id }) => id);
    if (free.length === 0) return;
    await tx.execute(`UPDATE gslb_checker SET heard_at = NOW(3) WHERE id IN (${marksFor(free)})`, free);
  });
}

/** Whether any checker has reported in the last minute. */
export async function hasHeardCheckers(db: Sql): Promise<boolean> {
  const sql = 'SELECT EXISTS (SELECT 1 FROM gslb_checker WHERE heard_at > NOW(3) - INTERVAL 60 SECOND) AS heard';
  const [row] = await db.query<{ heard: number }>(sql);
  return row?.heard === 1;
}

export async function lockChecker(tx: Transaction, id: string): Promise<CheckerRow | undefined> {
  return (await tx.query<Raw>(`SELECT ${columns} FROM gslb_checker WHERE id = ? FOR UPDATE`, [id])).map(toRow)[0];
}

async function lockCheckers(tx: Transaction, ids: readonly string[]): Promise<readonly CheckerRow[]> {
  const sql = `SELECT ${columns} FROM gslb_checker WHERE id IN (${marksFor(ids)}) ORDER BY id FOR UPDATE`;
  return (await tx.query<Raw>(sql, ids)).map(toRow);
}

/** The ledger's state. `vantagePoint`: by name, as in batches. */
export function stateOf(row: CheckerRow, vantagePoint: string): CheckerState {
  const { incarnation, epoch, batch, saidAt, abstains } = row;
  return { vantagePoint, incarnation, epoch, batch, saidAtMs: saidAt?.getTime() ?? null, abstains };
}

export interface Counted {
  readonly checker: CheckerRow;
  readonly state: CheckerState;
  readonly load: JsonObject;
}

/** Stores the changes of the accepted batches, and their time, in the transaction that has locked the checkers' rows. */
export async function storeCounted(tx: Transaction, counted: readonly Counted[]): Promise<void> {
  if (counted.length === 0) return;
  const values = counted.flatMap(({ checker: { id, vantagePointId, name }, state, load }): SqlValue[] => [
    ...[id, vantagePointId, name, state.batch, state.saidAtMs === null ? null : new Date(state.saidAtMs)],
    ...[state.abstains, JSON.stringify(load)],
  ]);
  // The rows exist, so one statement updates all of them.
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
  /** History of the incarnation. */
  readonly history: string;
  readonly vantagePointId: string;
  readonly incarnation: number;
  /** The last batch that counted of the incarnation before. */
  readonly counted: number;
}

/** `connectCheckers` for one checker. Throws the error that it returns instead of a grant. */
export async function connectChecker(tx: Transaction, wake: Wake, connection: Connection): Promise<Granted> {
  const [granted] = await connectCheckers(tx, wake, [connection]);
  if (granted === undefined || granted instanceof Error) throw granted;
  return granted;
}

/**
 * Connects checkers, each machine once: each is granted an incarnation and shares the targets of its vantage point from now on.
 * Checkers of one vantage point start one epoch together. Returns an error instead of a grant if the vantage point does not
 * exist, or the machine's record has another one.
 */
export async function connectCheckers(
  tx: Transaction,
  wake: Wake,
  connections: readonly Connection[],
): Promise<readonly (Granted | Error)[]> {
  const ids = connections.map(({ machine }) => machine.id).sort();
  // Waits for a concurrent change of the record, whose result may end this connection.
  const records = await checkerRecordsOf(tx, ids, { lock: true });
  const allowed = connections.filter(
    ({ machine, vantagePoint }) => records.get(machine.id)?.vantagePoint === vantagePoint,
  );
  const names = [...new Set(allowed.map(({ vantagePoint }) => vantagePoint))];
  const wanted = `SELECT id, name FROM gslb_vantage_point WHERE name IN (${marksFor(names)}) AND deleted_at IS NULL`;
  const named = names.length === 0 ? [] : await tx.query<{ id: string; name: string }>(wanted, names);
  const known = (await tx.query<Raw>(`SELECT ${columns} FROM gslb_checker WHERE id IN (${marksFor(ids)})`, ids)).map(
    toRow,
  );
  const locked = await lockVantagePoints(tx, [
    ...named.map(({ id }) => id),
    ...known.map(({ vantagePointId }) => vantagePointId),
  ]);
  const vantagePoints = new Map(locked.map((row) => [row.name, row]));
  const placed = allowed.flatMap((connection) => {
    const vantagePoint = vantagePoints.get(connection.vantagePoint);
    return vantagePoint === undefined ? [] : [{ ...connection, vantagePoint }];
  });
  const isKnown = new Set(known.map(({ id }) => id));
  for (const { machine, vantagePoint } of placed)
    if (!isKnown.has(machine.id))
      await tx.execute('INSERT INTO gslb_checker (id, vantage_point_id, name, epoch) VALUES (?, ?, ?, 0)', [
        ...[machine.id, vantagePoint.id, machine.name],
      ]);
  const before = new Map((await lockCheckers(tx, ids)).map((row) => [row.id, row]));
  const shared = new Map<string, readonly string[]>();
  for (const row of locked) shared.set(row.id, await sharersOf(tx, row));
  const moves = placed.map(({ machine: { id }, vantagePoint }) => ({ id, from: before.get(id), to: vantagePoint }));
  const history = await readHistory(tx);
  const granted = new Map<string, Granted>();
  const otherPlugins = new Set<string>();
  for (const { machine, vantagePoint, facts, linkedTo } of placed) {
    const row = before.get(machine.id);
    if (row === undefined) throw new Error(`the checker ${machine.name} was not recorded`);
    const { incarnation } = grantIncarnation(stateOf(row, vantagePoint.name));
    const plugins = Array.isArray(facts.plugins) ? JSON.stringify(facts.plugins.toSorted()) : null;
    if (textOf(row.plugins) !== textOf(pluginsOf(plugins))) otherPlugins.add(vantagePoint.id);
    await tx.execute(
      `UPDATE gslb_checker SET vantage_point_id = ?, name = ?, incarnation = ?, batch = 0, said_at = NULL, abstains = 0, facts = ?,
        plugins = ?, linked_to = ?, heard_at = NOW(3) WHERE id = ?`,
      [vantagePoint.id, machine.name, incarnation, JSON.stringify(facts), plugins, linkedTo, machine.id],
    );
    granted.set(machine.id, { history, vantagePointId: vantagePoint.id, incarnation, counted: row.batch });
  }
  for (const row of locked) {
    const has = shared.get(row.id) ?? [];
    const gone = new Set(moves.flatMap(({ id, to }) => (to.id === row.id ? [] : [id])));
    const came = moves.flatMap(({ id, to }) => (to.id === row.id ? [id] : []));
    const now = [...has.filter((id) => !gone.has(id)), ...came];
    await shareAmong(tx, wake, row, { before: has, now, otherwise: otherPlugins.has(row.id) });
  }
  return connections.map(
    (connection) => granted.get(connection.machine.id) ?? refusalOf(connection, records.get(connection.machine.id)),
  );
}

/** The machine receives the first 120 characters. */
function refusalOf(
  { machine: { name }, vantagePoint }: Pick<Connection, 'machine' | 'vantagePoint'>,
  record: CheckerRecord | undefined,
): Error {
  if (record === undefined)
    return new LinkRefusal(`its record has no vantage point: tidegate machines update ${name} --vantage-point NAME`);
  if (record.vantagePoint !== vantagePoint)
    return new LinkRefusal(
      `set checker.vantagePoint to ${record.vantagePoint}, like its record, or change the record: tidegate machines update ${name}`,
    );
  return new Error(`no vantage point ${vantagePoint}: create it with gslbVantagePointCreate`);
}

function textOf(plugins: ReadonlySet<string> | undefined): string {
  return plugins === undefined ? '' : [...plugins].sort().join();
}

interface Sharers {
  readonly before: readonly string[];
  readonly now: readonly string[];
  /** Whether one of them has other plugins than before. */
  readonly otherwise?: boolean;
}

/**
 * The checkers that share the targets of a vantage point from now on. Runs in the transaction that has locked its row. An unchanged set begins no
 * epoch, for example when a checker with the same plugins reconnects within the silence limit.
 */
async function shareAmong(
  tx: Transaction,
  wake: Wake,
  row: VantageRow,
  { before, now, otherwise = false }: Sharers,
): Promise<void> {
  const ids = [...new Set(now)].sort();
  if (!otherwise && ids.length === before.length && ids.every((id) => before.includes(id))) return;
  await shareAnew(tx, wake, row, ids);
  if (before.length === 0) await tellPresence(tx, wake, row, 'PRESENT');
  else if (ids.length === 0) await tellPresence(tx, wake, row, 'ABSENT', before);
}

interface Sharer extends Pick<CheckerRow, 'id' | 'name' | 'vantagePointId' | 'heardAt'> {
  /** Whether a process has its connection. */
  readonly linked: boolean;
}

/** All checkers that share the targets of their vantage points. */
export async function readSharers(db: Sql): Promise<readonly Sharer[]> {
  const rows = await db.query<Omit<Sharer, 'linked'> & { readonly linked: number }>(
    `SELECT c.id, c.name, c.vantage_point_id AS vantagePointId, c.heard_at AS heardAt, c.linked_to IS NOT NULL AS linked
    FROM gslb_vantage_point v JOIN gslb_checker c ON c.vantage_point_id = v.id AND c.epoch = v.epoch ORDER BY c.id`,
  );
  return rows.map((row) => ({ ...row, linked: Number(row.linked) === 1 }));
}

/**
 * Checkers whose rows are unchanged since they were read stop sharing targets. The others of a vantage point take over all their
 * targets in one epoch. A row locked by another transaction is being updated by a batch. Returns these checkers: a second
 * process finds none.
 */
export async function endSharing<Seen extends Pick<CheckerRow, 'id' | 'vantagePointId' | 'heardAt'>>(
  tx: Transaction,
  wake: Wake,
  seen: readonly Seen[],
): Promise<readonly Seen[]> {
  const vantagePoints = await lockVantagePoints(
    tx,
    seen.map(({ vantagePointId }) => vantagePointId),
  );
  const free = await lockFreeCheckers(
    tx,
    seen.map(({ id }) => id),
  );
  const rows = new Map(free.map((row) => [row.id, row]));
  const ended: Seen[] = [];
  for (const vantagePoint of vantagePoints) {
    const silent = seen.filter(({ id, heardAt }) => {
      const row = rows.get(id);
      const isSame = row?.vantagePointId === vantagePoint.id && row.epoch === vantagePoint.epoch;
      return isSame && row.heardAt?.getTime() === heardAt?.getTime();
    });
    const gone = new Set(silent.map(({ id }) => id));
    const before = await sharersOf(tx, vantagePoint);
    await shareAmong(tx, wake, vantagePoint, { before, now: before.filter((id) => !gone.has(id)) });
    ended.push(...silent);
  }
  return ended;
}

/** The checkers among these machines. */
export function checkersAmong(db: Sql, ids: readonly string[]): Promise<readonly Pick<CheckerRow, 'id' | 'name'>[]> {
  return inPages(ids, (page) =>
    db.query(`SELECT id, name FROM gslb_checker WHERE id IN (${marksFor(page)}) ORDER BY id`, page),
  );
}

/**
 * Removes a checker: the others take over its targets, and its votes no longer count. False if it is already gone, or just moved
 * to another vantage point.
 */
export async function forgetChecker(tx: Transaction, wake: Wake, id: string): Promise<boolean> {
  if (!(await excludeChecker(tx, wake, id))) return false;
  await tx.execute('DELETE FROM gslb_checker WHERE id = ?', [id]);
  return true;
}

/** Its connection and votes no longer count, until it connects again. */
export async function disconnectChecker(tx: Transaction, wake: Wake, id: string): Promise<void> {
  if (!(await excludeChecker(tx, wake, id))) return;
  await tx.execute('UPDATE gslb_checker SET incarnation = incarnation + 1, linked_to = NULL WHERE id = ?', [id]);
}

/** Locks it. */
async function excludeChecker(tx: Transaction, wake: Wake, id: string): Promise<boolean> {
  const known = await readChecker(tx, id);
  if (known === undefined) return false;
  const [vantagePoint] = await lockVantagePoints(tx, [known.vantagePointId]);
  const row = await lockChecker(tx, id);
  if (row === undefined || row.vantagePointId !== known.vantagePointId) return false;
  if (vantagePoint !== undefined) {
    const before = await sharersOf(tx, vantagePoint);
    await shareAmong(tx, wake, vantagePoint, { before, now: before.filter((each) => each !== id) });
  }
  return true;
}

/** Records that its connection ended. It may reconnect to another process. */
export async function endConnection(
  db: Sql,
  { id, incarnation }: { readonly id: string; readonly incarnation: number },
) {
  await db.execute('UPDATE gslb_checker SET linked_to = NULL WHERE id = ? AND incarnation = ?', [id, incarnation]);
}

/** Whether a checker reported within the silence limit. A time far in the future was recorded before the clock was set back. */
export function isPresent({ heardAt }: Pick<CheckerRow, 'heardAt'>, nowMs: number, silenceMs: number): boolean {
  if (heardAt === null) return false;
  const agoMs = nowMs - heardAt.getTime();
  return agoMs < silenceMs && agoMs > -silenceMs;
}

/** SQL of `isPresent`. */
export function heardChecker(silenceMs: number): string {
  return `COALESCE(ABS(TIMESTAMPDIFF(MICROSECOND, c.heard_at, NOW(3))) < ${Math.round(silenceMs)} * 1000, 0)`;
}

interface AbsentChecker extends Pick<CheckerRow, 'id' | 'name' | 'heardAt'> {
  readonly vantagePoint: string | null;
}

/** Checkers that do not report, the longest-silent first, and whether another checker reports. */
export async function absentCheckers(
  db: Sql,
  silenceMs: number,
): Promise<{ readonly absent: readonly AbsentChecker[]; readonly isAnyHeard: boolean }> {
  const heard = heardChecker(silenceMs);
  const absent = await db.query<AbsentChecker>(
    `SELECT c.id, c.name, c.heard_at AS heardAt, v.name AS vantagePoint FROM gslb_checker c
      LEFT JOIN gslb_vantage_point v ON v.id = c.vantage_point_id WHERE NOT ${heard} ORDER BY c.heard_at, c.id LIMIT 1000`,
  );
  const present = await db.query(`SELECT 1 FROM gslb_checker c WHERE ${heard} LIMIT 1`);
  return { absent, isAnyHeard: present.length > 0 };
}
