// SQL of containers created through the graph, with the CMP object of each. The present state of a container is known to the clusters only.
import type { Sql, Transaction } from '../../../../platform/database/database.ts';
import { countsOfParents, rowsOfParents } from '../../../../platform/database/parent-rows.ts';
import { inEachProject, searchParents } from '../../../../platform/database/range-search.ts';
import { marksFor } from '../../../../platform/database/sql.ts';
import type { CmpObjectKey } from '../../../../platform/pages/cmp-object.ts';
import { type PageItems, type PageRequest, searchedItems } from '../../../../platform/pages/connection.ts';
import type { AskedContainer } from '../../wire/cluster-questions.ts';
import { accountKey, uuidOfKey } from '../../wire/documents/documents.ts';

export interface ContainerRow {
  /** Its id at the clusters, as a UUID. */
  readonly id: string;
  readonly projectId: string;
  readonly accountId: string;
  readonly name: string;
  /** The name that its option had when this was read or recorded. */
  readonly optionName: string;
  /** UUID of its option, where it is recorded. */
  readonly optionId?: string | null;
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

const columns = `id, project_id AS projectId, account_id AS accountId, name, option_name AS optionName, live_option_id AS optionId, created_at AS createdAt,
  cmp_namespace AS namespace, cmp_type AS type, cmp_id AS externalId, live_name IS NULL AS deleted`;

function toRow({ namespace, type, externalId, deleted, ...row }: Raw): MadeContainer {
  const isFor = namespace !== null && type !== null && externalId !== null;
  return { ...row, cmp: isFor ? { namespace, type, externalId } : null, deleted: deleted === 1 };
}

/** Clusters use 32 hexadecimal digits as ids. */
export const containerUuid = uuidOfKey;

export const containerId = accountKey;

/** As a cluster reported it. */
export function containerRow(
  { projectId, accountId }: Pick<ContainerRow, 'projectId' | 'accountId'>,
  { id, name, option, createdAtMs }: AskedContainer,
): ContainerRow {
  const createdAt = new Date(createdAtMs);
  return { id: containerUuid(id), projectId, accountId, name, optionName: option, createdAt };
}

/** Includes deleted ones. */
export async function readContainers(sql: Sql, ids: readonly string[]): Promise<ReadonlyMap<string, MadeContainer>> {
  if (ids.length === 0) return new Map();
  const text = `SELECT ${columns} FROM object_container WHERE id IN (${marksFor(ids)})`;
  return new Map((await sql.query<Raw>(text, ids)).map((raw) => [raw.id, toRow(raw)]));
}

export async function containerNamed(sql: Sql, accountId: string, name: string): Promise<MadeContainer | undefined> {
  const text = `SELECT ${columns} FROM object_container WHERE account_id = ? AND live_name = ?`;
  return (await sql.query<Raw>(text, [accountId, name])).map(toRow)[0];
}

/** By CMP object, as JSON of its key; oldest first, without deleted ones. */
export async function containersFor(
  sql: Sql,
  objects: readonly string[],
  projects: 'all' | readonly string[],
  { first, after, take }: PageRequest,
): Promise<ReadonlyMap<string, PageItems<MadeContainer>>> {
  const index = projects === 'all' ? 'object_container_cmp_idx' : 'object_container_project_cmp_idx';
  const found = await searchParents<readonly [string]>(sql, objects, {
    ...{ table: 'object_container', key: ['id'], order: 'ASC', take, after },
    ranges(object) {
      const { namespace, type, externalId } = JSON.parse(object) as CmpObjectKey;
      const sql = 'cmp_id = ? AND cmp_type = ? AND cmp_namespace = ?';
      const ofCmpObject = { sql, values: [externalId, type, namespace] };
      return inEachProject(projects, ofCmpObject).map((condition) => ({ index, condition }));
    },
    rest: { sql: 'live_name IS NOT NULL', values: [] },
  });
  const ids = [...found.values()].flatMap(({ keys }) => keys.slice(0, first).map(([id]) => id));
  const rows = await readContainers(sql, ids);
  return new Map([...found].map(([object, own]) => [object, searchedItems(own, first, ([id]) => rows.get(id))]));
}

const ofOption = {
  ...{ table: 'object_container', index: 'object_container_option_idx' },
  ranges: (optionId: string) => [{ sql: 'live_option_id = ?', values: [optionId] }],
};

/** By option (UUIDs), without deleted ones, oldest first. */
export async function containersOfOptions(
  sql: Sql,
  optionIds: readonly string[],
  { after, take }: PageRequest,
): Promise<ReadonlyMap<string, readonly MadeContainer[]>> {
  const found = await rowsOfParents<Raw>(sql, optionIds, {
    ...{ ...ofOption, columns, key: 'id', order: 'ASC', after: after?.[0], take },
  });
  return new Map([...found].map(([optionId, raws]) => [optionId, raws.map(toRow)]));
}

/** By option (UUIDs), without deleted ones. */
export function countOfOptions(sql: Sql, optionIds: readonly string[]): Promise<ReadonlyMap<string, number | null>> {
  return countsOfParents(sql, optionIds, ofOption);
}

/** An older row with this name is stale: the container was deleted without notice to this database. */
export async function recordContainer(tx: Transaction, row: ContainerRow, cmp: CmpObjectKey | null): Promise<void> {
  await tx.execute(
    `UPDATE object_container SET live_name = NULL, live_option_id = NULL, deleted_at = NOW(3)
    WHERE account_id = ? AND live_name = ? AND id <> ?`,
    [row.accountId, row.name, row.id],
  );
  await tx.execute(
    `INSERT INTO object_container (id, project_id, account_id, name, live_name, option_name, live_option_id, cmp_namespace, cmp_type, cmp_id, created_at)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON DUPLICATE KEY UPDATE id = id`,
    [
      ...[row.id, row.projectId, row.accountId, row.name, row.name, row.optionName, row.optionId ?? null],
      ...[cmp?.namespace ?? null, cmp?.type ?? null, cmp?.externalId ?? null, row.createdAt],
    ],
  );
}

/** Also for a container that was not created here, so that repeated requests find it. */
export async function recordDeleted(tx: Transaction, row: ContainerRow): Promise<void> {
  await tx.execute(
    `INSERT INTO object_container (id, project_id, account_id, name, option_name, created_at, deleted_at) VALUES (?, ?, ?, ?, ?, ?, NOW(3))
    ON DUPLICATE KEY UPDATE live_name = NULL, live_option_id = NULL, deleted_at = COALESCE(deleted_at, NOW(3))`,
    [row.id, row.projectId, row.accountId, row.name, row.optionName, row.createdAt],
  );
}

/** Called when their account is deleted. */
export async function forgetContainersOf(tx: Transaction, accountId: string): Promise<void> {
  const text =
    'UPDATE object_container SET live_name = NULL, live_option_id = NULL, deleted_at = NOW(3) WHERE account_id = ? AND live_name IS NOT NULL';
  await tx.execute(text, [accountId]);
}
