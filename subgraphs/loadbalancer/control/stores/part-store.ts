// SQL of parts. A deleted part stays, with the generation of its deletion, until no node can have it any more.
import { always, type Sql, type Transaction } from '../../../../platform/database/database.ts';
import { countsOfParents, rowsOfParents } from '../../../../platform/database/parent-rows.ts';
import { marksFor } from '../../../../platform/database/sql.ts';
import { isDuplicateKey } from '../../../../platform/errors/database-errors.ts';
import type { PageRequest } from '../../../../platform/pages/connection.ts';
import type { MemberTally } from '../../rules/operating-status.ts';
import type { OperatingStatus } from '../../rules/states.ts';
import type { PartName, PartSpec } from '../../spec/part-kind.ts';

export interface PartRow {
  readonly id: string;
  readonly projectId: string;
  readonly loadBalancerId: string;
  readonly parentId: string;
  readonly kind: PartName;
  readonly spec: PartSpec;
  readonly drainUntil: Date | null;
  readonly operatingStatus: OperatingStatus;
  readonly operatingReason: string | null;
  readonly generation: number;
  readonly deleted: boolean;
  readonly version: number;
  /** Its version after the last change of its settings. */
  readonly settingsVersion: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

const columns = `id, project_id AS projectId, load_balancer_id AS loadBalancerId, parent_id AS parentId, kind, spec, drain_until AS
  drainUntil, operating_status AS operatingStatus, operating_reason AS operatingReason, generation, deleted, version,
  settings_version AS settingsVersion, created_at AS createdAt, updated_at AS updatedAt`;

type Raw = Omit<PartRow, 'spec' | 'deleted'> & { readonly spec: string; readonly deleted: number };

function toRow(raw: Raw): PartRow {
  return { ...raw, spec: JSON.parse(raw.spec) as PartSpec, deleted: raw.deleted === 1 };
}

async function rowsOf(sql: Sql, where: string, values: readonly (string | number)[]): Promise<PartRow[]> {
  return (await sql.query<Raw>(`SELECT ${columns} FROM lb_part WHERE ${where}`, values)).map(toRow);
}

/** Including deleted ones. */
export async function readParts(db: Sql, ids: readonly string[]): Promise<ReadonlyMap<string, PartRow>> {
  if (ids.length === 0) return new Map();
  return new Map((await rowsOf(db, `id IN (${marksFor(ids)})`, ids)).map((row) => [row.id, row]));
}

/** Without deleted ones, oldest first. */
export async function readChildren(
  db: Sql,
  kind: PartName,
  parentIds: readonly string[],
): Promise<ReadonlyMap<string, PartRow[]>> {
  if (parentIds.length === 0) return new Map();
  const where = `parent_id IN (${marksFor(parentIds)}) AND kind = ? AND deleted = 0 ORDER BY id`;
  return Map.groupBy(await rowsOf(db, where, [...parentIds, kind]), ({ parentId }) => parentId);
}

/** By parent, without deleted ones, oldest first. */
export async function pagesOfChildren(
  db: Sql,
  kind: PartName,
  parentIds: readonly string[],
  { after, take }: PageRequest,
): Promise<ReadonlyMap<string, PartRow[]>> {
  const found = await rowsOfParents<Raw>(db, parentIds, {
    ...{ ...childrenOf(kind), columns, key: 'id', order: 'ASC', after: after?.[0], take },
  });
  return new Map([...found].map(([parent, raws]) => [parent, raws.map(toRow)]));
}

/** By parent, without deleted ones. */
export function countChildren(
  db: Sql,
  kind: PartName,
  parentIds: readonly string[],
): Promise<ReadonlyMap<string, number | null>> {
  return countsOfParents(db, parentIds, childrenOf(kind));
}

function childrenOf(kind: PartName) {
  return {
    ...{ table: 'lb_part', index: 'lb_part_parent_idx' },
    ranges: (parent: string) => [{ sql: 'parent_id = ? AND kind = ? AND deleted = 0', values: [parent, kind] }],
  };
}

/** Most users of one pool or certificate that are read. */
const mostUsers = 100;

/** Live parts of a kind that refer to these pools or certificates, by target, oldest first: at most `mostUsers` of each. */
export async function usersOf(
  db: Sql,
  kind: PartName,
  targetIds: readonly string[],
): Promise<ReadonlyMap<string, PartRow[]>> {
  if (targetIds.length === 0) return new Map();
  const rows = await db.query<Raw & { readonly targetId: string }>(
    `SELECT targetId, ${columns} FROM (
      SELECT r.target_id AS targetId, p.*, ROW_NUMBER() OVER (PARTITION BY r.target_id ORDER BY p.id) AS place
      FROM (SELECT DISTINCT target_id, part_id FROM lb_reference WHERE target_id IN (${marksFor(targetIds)})) r
      JOIN lb_part p ON p.id = r.part_id WHERE p.kind = ? AND p.deleted = 0) AS used
    WHERE place <= ${mostUsers} ORDER BY id`,
    [...targetIds, kind],
  );
  const byTarget = Map.groupBy(rows, ({ targetId }) => targetId);
  return new Map(
    [...byTarget].map(([target, raws]) => [target, raws.map(({ targetId: _, ...raw }) => toRow(raw as Raw))]),
  );
}

/** Of the live listeners of a load balancer. */
export async function listenerPorts(sql: Sql, loadBalancerId: string): Promise<ReadonlySet<number>> {
  const rows = await sql.query<{ port: number }>(
    "SELECT CAST(JSON_VALUE(spec, '$.port') AS INT) AS port FROM lb_part WHERE parent_id = ? AND kind = 'Listener' AND deleted = 0",
    [loadBalancerId],
  );
  return new Set(rows.map(({ port }) => Number(port)));
}

/** Changed or deleted after a generation of the load balancer. 0 returns all, without deleted ones. */
export function partsSince(db: Sql, loadBalancerId: string, generation: number): Promise<PartRow[]> {
  const live = generation === 0 ? { sql: 'deleted = 0' } : always;
  return rowsOf(db, `load_balancer_id = ? AND generation > ? AND ${live.sql} ORDER BY id`, [
    loadBalancerId,
    generation,
  ]);
}

/** Changed or deleted by the change that made this generation of the load balancer. */
export function partsOfGeneration(sql: Sql, loadBalancerId: string, generation: number): Promise<PartRow[]> {
  return rowsOf(sql, 'load_balancer_id = ? AND generation = ? ORDER BY id', [loadBalancerId, generation]);
}

/** Without deleted ones. Call it under the lock of the load balancer. */
export async function lockPart(tx: Transaction, id: string): Promise<PartRow | undefined> {
  return (await rowsOf(tx, 'id = ? AND deleted = 0 FOR UPDATE', [id]))[0];
}

export type NewPart = Pick<
  PartRow,
  'id' | 'projectId' | 'loadBalancerId' | 'parentId' | 'kind' | 'spec' | 'generation'
> & { readonly uniqueKey: string | undefined };

/** False if its parent already has a part with the same unique key; nothing was written then. */
export async function insertParts(tx: Transaction, parts: readonly NewPart[]): Promise<boolean> {
  if (parts.length === 0) return true;
  const marks = parts.map(() => '(?, ?, ?, ?, ?, ?, ?, ?)').join(', ');
  const values = parts.flatMap((part) => [
    ...[part.id, part.projectId, part.loadBalancerId, part.parentId, part.kind],
    ...[JSON.stringify(part.spec), part.uniqueKey ?? null, part.generation],
  ]);
  return taken(
    tx.execute(
      `INSERT INTO lb_part (id, project_id, load_balancer_id, parent_id, kind, spec, unique_key, generation) VALUES ${marks}`,
      values,
    ),
  );
}

/** False if its parent already has a part with the same unique key. */
export async function updatePart(
  tx: Transaction,
  part: Pick<PartRow, 'id' | 'spec' | 'drainUntil' | 'generation'> & { readonly uniqueKey: string | undefined },
): Promise<boolean> {
  return taken(
    tx.execute(
      'UPDATE lb_part SET spec = ?, unique_key = ?, drain_until = ?, generation = ?, settings_version = version + 1, version = version + 1 WHERE id = ?',
      [...[JSON.stringify(part.spec), part.uniqueKey ?? null, part.drainUntil, part.generation, part.id]],
    ),
  );
}

export async function deleteParts(tx: Transaction, ids: readonly string[], generation: number): Promise<void> {
  if (ids.length === 0) return;
  await tx.execute(
    `UPDATE lb_part SET deleted = 1, deleted_at = NOW(3), unique_key = NULL, generation = ?, version = version + 1
    WHERE id IN (${marksFor(ids)})`,
    [generation, ...ids],
  );
  await tx.execute(`DELETE FROM lb_reference WHERE part_id IN (${marksFor(ids)})`, ids);
}

export interface Reference {
  readonly partId: string;
  readonly field: string;
  readonly targetId: string;
}

/** Replaces the references of parts. */
export async function setReferences(
  tx: Transaction,
  partIds: readonly string[],
  references: readonly Reference[],
): Promise<void> {
  if (partIds.length > 0) await tx.execute(`DELETE FROM lb_reference WHERE part_id IN (${marksFor(partIds)})`, partIds);
  if (references.length === 0) return;
  await tx.execute(
    `INSERT INTO lb_reference (part_id, field, target_id) VALUES ${references.map(() => '(?, ?, ?)').join(', ')}`,
    references.flatMap(({ partId, field, targetId }) => [partId, field, targetId]),
  );
}

/** References to any of these parts or certificates from other parts, unless their load balancer is deleted. At most 20. */
export function referencesTo(sql: Sql, targetIds: readonly string[]): Promise<Reference[]> {
  if (targetIds.length === 0) return Promise.resolve([]);
  const marks = marksFor(targetIds);
  return sql.query<Reference>(
    `SELECT r.part_id AS partId, r.field, r.target_id AS targetId FROM lb_reference r JOIN lb_part p ON p.id = r.part_id
    JOIN lb_load_balancer b ON b.id = p.load_balancer_id AND b.provisioning_status NOT IN ('DELETING', 'DELETED')
    WHERE r.target_id IN (${marks}) AND r.part_id NOT IN (${marks}) LIMIT 20`,
    [...targetIds, ...targetIds],
  );
}

/** Deletes all parts of a deleted load balancer. */
export async function deleteAllParts(tx: Transaction, loadBalancerId: string): Promise<void> {
  await tx.execute(
    'DELETE FROM lb_reference WHERE part_id IN (SELECT id FROM lb_part WHERE load_balancer_id = ? AND deleted = 0)',
    [loadBalancerId],
  );
  await tx.execute(
    'UPDATE lb_part SET deleted = 1, deleted_at = NOW(3), unique_key = NULL WHERE load_balancer_id = ? AND deleted = 0',
    [loadBalancerId],
  );
}

/** Size in bytes of what every node's document has: the parts and their certificates. */
export async function bytesOfTree(sql: Sql, loadBalancerId: string): Promise<number> {
  // Adds a part's ids and names to its settings.
  const [parts] = await sql.query<{ bytes: number }>(
    'SELECT COALESCE(SUM(LENGTH(spec) + 250), 0) AS bytes FROM lb_part WHERE load_balancer_id = ? AND deleted = 0',
    [loadBalancerId],
  );
  const [certificates] = await sql.query<{ bytes: number }>(
    `SELECT COALESCE(SUM(LENGTH(c.chain) + 8000), 0) AS bytes FROM lb_certificate c WHERE c.id IN
      (SELECT r.target_id FROM lb_reference r JOIN lb_part p ON p.id = r.part_id WHERE p.load_balancer_id = ? AND p.deleted = 0)`,
    [loadBalancerId],
  );
  return Number(parts?.bytes ?? 0) + Number(certificates?.bytes ?? 0);
}

/** Number of live parts of a kind, in a parent or in a project. */
export async function countParts(
  sql: Sql,
  kind: PartName,
  within: { readonly parentId: string } | { readonly projectId: string },
): Promise<number> {
  const [column, id] = 'parentId' in within ? ['parent_id', within.parentId] : ['project_id', within.projectId];
  const [row] = await sql.query<{ count: number }>(
    `SELECT CAST(COUNT(*) AS INT) AS count FROM lb_part WHERE ${column} = ? AND kind = ? AND deleted = 0`,
    [id, kind],
  );
  return Number(row?.count ?? 0);
}

async function taken(writing: Promise<unknown>): Promise<boolean> {
  try {
    await writing;
    return true;
  } catch (error) {
    if (isDuplicateKey(error)) return false;
    throw error;
  }
}

export interface PoolTallies {
  readonly members: readonly MemberTally[];
  /** Whether a health monitor is in use. */
  readonly checked: boolean;
}

/** By pool, without deleted members. */
export async function talliesOf(sql: Sql, poolIds: readonly string[]): Promise<ReadonlyMap<string, PoolTallies>> {
  if (poolIds.length === 0) return new Map();
  const rows = await sql.query<{
    poolId: string;
    kind: PartName;
    enabled: string;
    draining: number;
    status: OperatingStatus;
    count: number;
  }>(
    `SELECT parent_id AS poolId, kind, JSON_VALUE(spec, '$.enabled') AS enabled, drain_until IS NOT NULL AS draining, operating_status AS
      status, CAST(COUNT(*) AS INT) AS count FROM lb_part
    WHERE parent_id IN (${marksFor(poolIds)}) AND kind IN ('PoolMember', 'PoolHealthMonitor') AND deleted = 0 GROUP BY 1, 2, 3, 4, 5`,
    poolIds,
  );
  const byPool = Map.groupBy(rows, ({ poolId }) => poolId);
  return new Map(
    poolIds.map((id) => {
      const own = (byPool.get(id) ?? []).map((row) => ({
        ...row,
        enabled: row.enabled === '1' || row.enabled === 'true',
        draining: Number(row.draining) === 1,
        count: Number(row.count),
      }));
      const members = own.filter(({ kind }) => kind === 'PoolMember');
      return [id, { members, checked: own.some(({ kind, enabled }) => kind === 'PoolHealthMonitor' && enabled) }];
    }),
  );
}
