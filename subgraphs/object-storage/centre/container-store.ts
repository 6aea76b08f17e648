// SQL of containers that were made in the graph: for which CMP object each was. What a container is now, the clusters know.
import type { Sql, Transaction } from '../../../platform/database/database.ts';
import { marksFor } from '../../../platform/database/sql.ts';
import type { CmpObjectKey } from '../../../platform/graph/cmp-object.ts';
import type { PageRequest } from '../../../platform/graph/connection.ts';
import { accountKey, uuidOfKey } from '../documents/documents.ts';
import type { AskedContainer } from '../wire/cluster-questions.ts';

export interface ContainerRow {
  /** Its id at the clusters, as a UUID. */
  readonly id: string;
  readonly projectId: string;
  readonly accountId: string;
  readonly name: string;
  readonly optionName: string;
  readonly createdAt: Date;
}

export interface MadeContainer extends ContainerRow {
  readonly cmp: CmpObjectKey | null;
  readonly deleted: boolean;
}

interface Raw extends ContainerRow {
  readonly namespace: string | null;
  readonly type: string | null;
  readonly externalId: string | null;
  readonly deleted: number;
}

const columns = `id, project_id AS projectId, account_id AS accountId, name, option_name AS optionName, created_at AS createdAt,
  cmp_namespace AS namespace, cmp_type AS type, cmp_id AS externalId, live_name IS NULL AS deleted`;

function toRow({ namespace, type, externalId, deleted, ...row }: Raw): MadeContainer {
  const isFor = namespace !== null && type !== null && externalId !== null;
  return { ...row, cmp: isFor ? { namespace, type, externalId } : null, deleted: deleted === 1 };
}

/** An id of the clusters is 32 hexadecimal digits. */
export const containerUuid = uuidOfKey;

export const containerId = accountKey;

/** As a cluster told it. */
export function containerRow(
  { projectId, accountId }: Pick<ContainerRow, 'projectId' | 'accountId'>,
  { id, name, option, createdAtMs }: AskedContainer,
): ContainerRow {
  const createdAt = new Date(createdAtMs);
  return { id: containerUuid(id), projectId, accountId, name, optionName: option, createdAt };
}

/** Deleted ones too. */
export async function readContainers(sql: Sql, ids: readonly string[]): Promise<ReadonlyMap<string, MadeContainer>> {
  if (ids.length === 0) return new Map();
  const text = `SELECT ${columns} FROM object_container WHERE id IN (${marksFor(ids)})`;
  return new Map((await sql.query<Raw>(text, ids)).map((raw) => [raw.id, toRow(raw)]));
}

export async function containerNamed(sql: Sql, accountId: string, name: string): Promise<MadeContainer | undefined> {
  const text = `SELECT ${columns} FROM object_container WHERE account_id = ? AND live_name = ?`;
  return (await sql.query<Raw>(text, [accountId, name])).map(toRow)[0];
}

/** Oldest first, without deleted ones. */
export async function containersFor(
  sql: Sql,
  { namespace, type, externalId }: CmpObjectKey,
  projects: 'all' | readonly string[],
  { after, take }: PageRequest,
): Promise<readonly MadeContainer[]> {
  if (projects !== 'all' && projects.length === 0) return [];
  const own = projects === 'all' ? '' : `AND project_id IN (${marksFor(projects)})`;
  const text = `SELECT ${columns} FROM object_container
    WHERE cmp_id = ? AND cmp_type = ? AND cmp_namespace = ? AND live_name IS NOT NULL AND id > ? ${own} ORDER BY id LIMIT ?`;
  const values = [externalId, type, namespace, after?.[0] ?? '', ...(projects === 'all' ? [] : projects), take];
  return (await sql.query<Raw>(text, values)).map(toRow);
}

/** An older one of its name is gone: nobody told it here. */
export async function recordContainer(tx: Transaction, row: ContainerRow, cmp: CmpObjectKey | null): Promise<void> {
  await tx.execute(
    `UPDATE object_container SET live_name = NULL, deleted_at = NOW(3) WHERE account_id = ? AND live_name = ? AND id <> ?`,
    [row.accountId, row.name, row.id],
  );
  await tx.execute(
    `INSERT INTO object_container (id, project_id, account_id, name, live_name, option_name, cmp_namespace, cmp_type, cmp_id, created_at)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON DUPLICATE KEY UPDATE id = id`,
    [
      ...[row.id, row.projectId, row.accountId, row.name, row.name, row.optionName],
      ...[cmp?.namespace ?? null, cmp?.type ?? null, cmp?.externalId ?? null, row.createdAt],
    ],
  );
}

/** Also one that was not made here, for repeated requests. */
export async function recordDeleted(tx: Transaction, row: ContainerRow): Promise<void> {
  await tx.execute(
    `INSERT INTO object_container (id, project_id, account_id, name, option_name, created_at, deleted_at) VALUES (?, ?, ?, ?, ?, ?, NOW(3))
    ON DUPLICATE KEY UPDATE live_name = NULL, deleted_at = COALESCE(deleted_at, NOW(3))`,
    [row.id, row.projectId, row.accountId, row.name, row.optionName, row.createdAt],
  );
}

/** With their account. */
export async function forgetContainersOf(tx: Transaction, accountId: string): Promise<void> {
  const text =
    'UPDATE object_container SET live_name = NULL, deleted_at = NOW(3) WHERE account_id = ? AND live_name IS NOT NULL';
  await tx.execute(text, [accountId]);
}

/** Repeated requests are long over. The number of rows. */
export async function forgetDeleted(sql: Sql, most: number): Promise<number> {
  const text = 'DELETE FROM object_container WHERE deleted_at < NOW(3) - INTERVAL 30 DAY LIMIT ?';
  return (await sql.execute(text, [most])).affectedRows;
}
