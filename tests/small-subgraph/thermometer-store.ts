// Thermometers as their rows hold them.
import type { Sql, Transaction } from '../../platform/database/database.ts';
import { marksFor } from '../../platform/database/sql.ts';
import type { Page, PageArguments } from '../../platform/pages/connection.ts';
import { type ListTable, pageOfList } from '../../platform/pages/entity-list.ts';

export interface ThermometerRow {
  readonly id: string;
  readonly projectId: string;
  readonly name: string;
  readonly port: number;
  readonly operatingStatus: 'UNKNOWN' | 'ONLINE' | 'OFFLINE' | 'DELETED';
  readonly reading: number | null;
  readonly version: number;
}

const select =
  'SELECT id, project_id AS projectId, name, port, operating_status AS operatingStatus, reading, version FROM thermometer';

export function listThermometers(db: Sql): Promise<ThermometerRow[]> {
  return db.query<ThermometerRow>(`${select} WHERE live ORDER BY id`);
}

const thermometerList: ListTable = {
  table: 'thermometer',
  shown: { sql: 'live', values: [] },
  all: { time: 'thermometer_time_idx' },
  ofProject: { time: 'thermometer_project_time_idx' },
};

/** Oldest first: UUIDs rise with time. */
export function pageOfThermometers(
  db: Sql,
  projects: 'all' | readonly string[],
  args: PageArguments,
): Promise<Page<ThermometerRow>> {
  return pageOfList(db, thermometerList, { ...args, orderBy: 'OLDEST', projects }, async (ids) => {
    const rows = await db.query<ThermometerRow>(`${select} WHERE id IN (${marksFor(ids)})`, ids);
    return new Map(rows.map((row) => [row.id, row]));
  });
}

/** Including deleted ones. */
export async function readThermometer(db: Sql, id: string): Promise<ThermometerRow | undefined> {
  return (await db.query<ThermometerRow>(`${select} WHERE id = ?`, [id]))[0];
}

export async function readThermometers(db: Sql, ids: readonly string[]): Promise<ReadonlyMap<string, ThermometerRow>> {
  const rows = await db.query<ThermometerRow>(`${select} WHERE id IN (${marksFor(ids)})`, ids);
  return new Map(rows.map((row) => [row.id, row]));
}

export async function lockThermometer(tx: Transaction, id: string): Promise<ThermometerRow | undefined> {
  return (await tx.query<ThermometerRow>(`${select} WHERE id = ? FOR UPDATE`, [id]))[0];
}

export async function insertThermometer(
  tx: Transaction,
  row: Pick<ThermometerRow, 'id' | 'projectId' | 'name' | 'port'>,
): Promise<void> {
  const sql = 'INSERT INTO thermometer (id, project_id, name, port) VALUES (?, ?, ?, ?)';
  await tx.execute(sql, [row.id, row.projectId, row.name, row.port]);
}

export async function updateThermometer(
  tx: Transaction,
  row: Pick<ThermometerRow, 'id' | 'operatingStatus' | 'reading'>,
): Promise<void> {
  const sql = 'UPDATE thermometer SET operating_status = ?, reading = ?, version = version + 1 WHERE id = ?';
  await tx.execute(sql, [row.operatingStatus, row.reading, row.id]);
}

export async function endThermometer(tx: Transaction, id: string): Promise<void> {
  const sql = "UPDATE thermometer SET operating_status = 'DELETED', live = NULL, version = version + 1 WHERE id = ?";
  await tx.execute(sql, [id]);
}
