// SQL of the projects' subnets.
import type { Sql, Transaction } from '../../../../platform/database/database.ts';
import { marksFor } from '../../../../platform/database/sql.ts';

export interface SubnetRow {
  readonly id: string;
  readonly projectId: string;
  readonly name: string;
  readonly deleted: boolean;
  readonly cidr: string;
  readonly vni: number;
  readonly version: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

const columns =
  'id, project_id AS projectId, name, live_name IS NULL AS deleted, cidr, vni, version, created_at AS createdAt, updated_at AS updatedAt';

type Raw = Omit<SubnetRow, 'deleted'> & { readonly deleted: number };

function toRow(raw: Raw): SubnetRow {
  return { ...raw, deleted: raw.deleted === 1 };
}

/** Including deleted ones. */
export async function readSubnets(db: Sql, ids: readonly string[]): Promise<ReadonlyMap<string, SubnetRow>> {
  if (ids.length === 0) return new Map();
  const rows = await db.query<Raw>(`SELECT ${columns} FROM lb_subnet WHERE id IN (${marksFor(ids)})`, ids);
  return new Map(rows.map((raw) => [raw.id, toRow(raw)]));
}

/** The project's oldest live one. */
export async function firstSubnet(db: Sql, projectId: string): Promise<SubnetRow | undefined> {
  const sql = `SELECT ${columns} FROM lb_subnet WHERE project_id = ? AND live_name IS NOT NULL ORDER BY id LIMIT 1 LOCK IN SHARE MODE`;
  const [raw] = await db.query<Raw>(sql, [projectId]);
  return raw === undefined ? undefined : toRow(raw);
}

/** Without deleted ones. `mode`: SHARE prevents its deletion, UPDATE allows its change. */
export async function lockSubnet(
  tx: Transaction,
  id: string,
  mode: 'SHARE' | 'UPDATE',
): Promise<SubnetRow | undefined> {
  const lock = mode === 'SHARE' ? 'LOCK IN SHARE MODE' : 'FOR UPDATE';
  const sql = `SELECT ${columns} FROM lb_subnet WHERE id = ? AND live_name IS NOT NULL ${lock}`;
  const [raw] = await tx.query<Raw>(sql, [id]);
  return raw === undefined ? undefined : toRow(raw);
}

export async function insertSubnet(
  tx: Transaction,
  { id, projectId, name, cidr }: Pick<SubnetRow, 'id' | 'projectId' | 'name' | 'cidr'>,
): Promise<void> {
  const sql = 'INSERT INTO lb_subnet (id, project_id, name, live_name, cidr) VALUES (?, ?, ?, ?, ?)';
  await tx.execute(sql, [id, projectId, name, name, cidr]);
}

export async function renameSubnet(tx: Transaction, id: string, name: string): Promise<void> {
  const sql = 'UPDATE lb_subnet SET name = ?, live_name = ?, version = version + 1 WHERE id = ?';
  await tx.execute(sql, [name, name, id]);
}

export async function deleteSubnet(tx: Transaction, id: string): Promise<void> {
  await tx.execute('UPDATE lb_subnet SET live_name = NULL, deleted_at = NOW(3), version = version + 1 WHERE id = ?', [
    id,
  ]);
}

/** Names of the live load balancers in a subnet, at most 5. */
export async function balancersIn(tx: Transaction, subnetId: string): Promise<string[]> {
  const sql = 'SELECT name FROM lb_load_balancer WHERE subnet_id = ? AND live_name IS NOT NULL ORDER BY name LIMIT 5';
  return (await tx.query<{ name: string }>(sql, [subnetId])).map(({ name }) => name);
}
