// Thermometers as their rows hold them.
import type { Sql, Transaction } from '../../platform/database/database.ts';

export interface ThermometerRow {
  readonly id: string;
  readonly projectId: string;
  readonly name: string;
  readonly port: number;
  readonly operatingStatus: 'UNKNOWN' | 'ONLINE' | 'OFFLINE';
  readonly reading: number | null;
  readonly version: number;
}

const select =
  'SELECT id, project_id AS projectId, name, port, operating_status AS operatingStatus, reading, version FROM thermometer';

export function listThermometers(db: Sql): Promise<ThermometerRow[]> {
  return db.query<ThermometerRow>(`${select} ORDER BY id`);
}

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
