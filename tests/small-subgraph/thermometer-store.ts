// Thermometers as their rows hold them.
import { always, type Sql, type Transaction } from '../../platform/database/database.ts';
import { marksFor } from '../../platform/database/sql.ts';
import type { PageRequest } from '../../platform/graph/connection.ts';

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

/** Oldest first: UUIDs rise with time. */
export function pageOfThermometers(
  db: Sql,
  projects: 'all' | readonly string[],
  { after, take }: PageRequest,
): Promise<ThermometerRow[]> {
  if (projects !== 'all' && projects.length === 0) return Promise.resolve([]);
  const visible = projects === 'all' ? always : { sql: `project_id IN (${marksFor(projects)})`, values: projects };
  const sql = `${select} WHERE live AND ${visible.sql} AND id > ? ORDER BY id LIMIT ?`;
  return db.query<ThermometerRow>(sql, [...visible.values, after?.[0] ?? '', take]);
}

/** Including deleted ones. */
export async function readThermometer(db: Sql, id: string): Promise<ThermometerRow | undefined> {
  return (await db.query<ThermometerRow>(`${select} WHERE id = ?`, [id]))[0];
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
