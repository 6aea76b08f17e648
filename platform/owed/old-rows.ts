// Rows that are deleted a time after something happened to them: each kind is declared once, by the column with that time. They are deleted in the
// order of an index, a page at a time, so that a run reads each row at most once and holds few locks.
import type { Database, Sql } from '../database/database.ts';
import { marksFor } from '../database/sql.ts';
import { trustedNow } from '../leases/trusted-clock.ts';
import { batchSize, type Deleted } from './batches.ts';
import type { OldRows, RetentionStep } from './retention-step.ts';

/** Per run: the rest is deleted by the next, which is due at once. */
const mostBatches = 100;
const mostCounted = 100_000;

export function oldRowsStep(db: Database, rows: OldRows): RetentionStep {
  return {
    name: rows.name,
    oldRows: rows,
    tables: [rows.table, ...Object.keys(rows.parts ?? {})],
    run: (signal) => deleteOldRows(db, rows, signal),
    overdue: () => countOldRows(db, rows),
  };
}

export async function deleteOldRows(db: Database, rows: OldRows, signal?: AbortSignal): Promise<Deleted> {
  const { table, column, key = 'id' } = rows;
  let deleted = 0;
  let from = '0001-01-01';
  for (let batch = 0; batch < mostBatches && signal?.aborted !== true; batch += 1) {
    const page = await db.query<{ id: string; at: string }>(
      `SELECT ${key} AS id, CAST(${column} AS CHAR) AS at FROM ${table}
        WHERE ${isOldSql(rows)} AND ${column} >= ? ORDER BY ${column} LIMIT ${batchSize}`,
      [...valuesOf(rows), from],
    );
    const last = page.at(-1);
    if (last !== undefined) deleted += await deletePage(db, rows, [...new Set(page.map(({ id }) => id))], last.at);
    if (last === undefined || page.length < batchSize) return { rows: deleted, more: false };
    from = last.at;
  }
  return { rows: deleted, more: true };
}

/** At most 100,000. */
export async function countOldRows(sql: Sql, rows: OldRows): Promise<number> {
  const due = `SELECT 1 FROM ${rows.table} WHERE ${isOldSql(rows)} LIMIT ${mostCounted}`;
  const [row] = await sql.query<{ n: number }>(`SELECT COUNT(*) AS n FROM (${due}) due`, valuesOf(rows));
  return row?.n ?? 0;
}

/** The conditions are checked again, because a row may have changed since it was read. */
function deletePage(db: Database, rows: OldRows, ids: readonly string[], upTo: string): Promise<number> {
  const { table, column, key = 'id', parts = {} } = rows;
  return db.transaction(async (tx) => {
    const where = `${key} IN (${marksFor(ids)}) AND ${isOldSql(rows)} AND ${column} <= ?`;
    const values = [...ids, ...valuesOf(rows), upTo];
    const partNames = Object.entries(parts);
    if (partNames.length === 0) return (await tx.execute(`DELETE FROM ${table} WHERE ${where}`, values)).affectedRows;
    const still = await tx.query<{ id: string }>(`SELECT ${key} AS id FROM ${table} WHERE ${where} FOR UPDATE`, values);
    if (still.length === 0) return 0;
    const gone = still.map(({ id }) => id);
    const marks = marksFor(gone);
    for (const [part, column] of partNames) await tx.execute(`DELETE FROM ${part} WHERE ${column} IN (${marks})`, gone);
    return (await tx.execute(`DELETE FROM ${table} WHERE ${key} IN (${marks})`, gone)).affectedRows;
  });
}

function isOldSql({ column, given = {}, where }: OldRows): string {
  return [
    ...Object.keys(given).map((name) => `${name} <=> ?`),
    `${column} < ${trustedNow} - INTERVAL ? * 1000 MICROSECOND`,
    ...(where === undefined ? [] : [`(${where})`]),
  ].join(' AND ');
}

function valuesOf({ given = {}, keptMs }: OldRows): readonly (string | number | null)[] {
  return [...Object.values(given), keptMs];
}
