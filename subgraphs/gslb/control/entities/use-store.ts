// SQL of uses: pools of names, and monitors of pools and members.
import type { Sql, SqlValue, Transaction } from '../../../../platform/database/database.ts';
import { countsOfParents } from '../../../../platform/database/parent-rows.ts';
import { marksFor } from '../../../../platform/database/sql.ts';
import type { PageRequest } from '../../../../platform/pages/connection.ts';
import { newUuid } from '../../../../platform/values/ids.ts';
import type { FlavorSpec, MemberSpec } from '../../spec/specs.ts';
import { inPages } from '../stores/vote-store.ts';

interface PoolUse {
  readonly gslbId: string;
  readonly poolId: string;
  readonly fallback: boolean;
}

/** Pool uses, in each name's order. */
export async function poolUses(sql: Sql, gslbIds: readonly string[]): Promise<readonly PoolUse[]> {
  if (gslbIds.length === 0) return [];
  const rows = await sql.query<Omit<PoolUse, 'fallback'> & { readonly fallback: number }>(
    `SELECT gslb_id AS gslbId, pool_id AS poolId, fallback FROM gslb_pool_use WHERE gslb_id IN (${marksFor(gslbIds)})
    ORDER BY gslb_id, position`,
    gslbIds,
  );
  return rows.map((row) => ({ ...row, fallback: row.fallback === 1 }));
}

export async function setPoolUses(
  tx: Transaction,
  gslbId: string,
  poolIds: readonly string[],
  fallbackId: string | null,
): Promise<void> {
  await tx.execute('DELETE FROM gslb_pool_use WHERE gslb_id = ?', [gslbId]);
  const all = fallbackId === null ? poolIds : [...poolIds, fallbackId];
  for (const [position, poolId] of all.entries())
    await tx.execute('INSERT INTO gslb_pool_use (gslb_id, pool_id, position, fallback) VALUES (?, ?, ?, ?)', [
      ...[gslbId, poolId, position, poolId === fallbackId],
    ]);
}

/** UUIDs of the names that use a pool and are not deleted, by id. */
export async function namesUsing(sql: Sql, poolIds: readonly string[]): Promise<readonly string[]> {
  if (poolIds.length === 0) return [];
  const rows = await sql.query<{ id: string }>(
    `SELECT DISTINCT g.id FROM gslb_pool_use u JOIN gslb g ON g.id = u.gslb_id AND g.live_fqdn IS NOT NULL
    WHERE u.pool_id IN (${marksFor(poolIds)}) ORDER BY g.id`,
    poolIds,
  );
  return rows.map(({ id }) => id);
}

/** UUIDs of the members of pools, by id. */
export async function membersIn(sql: Sql, poolIds: readonly string[]): Promise<readonly string[]> {
  if (poolIds.length === 0) return [];
  const rows = await sql.query<{ id: string }>(
    `SELECT id FROM gslb_pool_member WHERE pool_id IN (${marksFor(poolIds)}) AND deleted_at IS NULL ORDER BY id`,
    poolIds,
  );
  return rows.map(({ id }) => id);
}

/** Members that use the monitor through a pool or directly. WITH_PARAMETERS: only members with their own parameters. */
export async function membersUsed(
  sql: Sql,
  { poolIds, memberIds }: { readonly poolIds: readonly string[]; readonly memberIds: readonly string[] },
  which: 'ALL' | 'WITH_PARAMETERS',
): Promise<readonly { readonly name: string; readonly spec: MemberSpec }[]> {
  const only = which === 'ALL' ? '' : `AND JSON_LENGTH(JSON_EXTRACT(spec, '$.parameters')) > 0`;
  const found = (column: 'pool_id' | 'id', ids: readonly string[]) =>
    inPages(ids, (page) =>
      sql.query<{ name: string; spec: string }>(
        `SELECT name, spec FROM gslb_pool_member WHERE ${column} IN (${marksFor(page)}) AND deleted_at IS NULL ${only} ORDER BY id`,
        page,
      ),
    );
  const rows = [...(await found('pool_id', poolIds)), ...(await found('id', memberIds))];
  return rows.map(({ name, spec }) => ({ name, spec: JSON.parse(spec) }));
}

/** A monitor is used for a pool or for a member (UUIDs). */
export type UsedFor = { readonly poolId: string } | { readonly memberId: string };

function columnOf(used: UsedFor): readonly ['pool_id' | 'member_id', string] {
  return 'poolId' in used ? ['pool_id', used.poolId] : ['member_id', used.memberId];
}

/** UUIDs of its monitors, by id. */
export async function monitorsFor(sql: Sql, used: UsedFor): Promise<readonly string[]> {
  const [column, id] = columnOf(used);
  const text = `SELECT monitor_id AS id FROM gslb_monitor_use WHERE ${column} = ? ORDER BY monitor_id LIMIT 100`;
  return (await sql.query<{ id: string }>(text, [id])).map((row) => row.id);
}

/** UUIDs of the monitors of several pools or members, by their ids, in order. */
export async function monitorsOfEach(
  sql: Sql,
  column: 'pool_id' | 'member_id',
  ids: readonly string[],
): Promise<ReadonlyMap<string, readonly string[]>> {
  const rows = await sql.query<{ used: string; id: string }>(
    `SELECT ${column} AS used, monitor_id AS id FROM gslb_monitor_use WHERE ${column} IN (${marksFor(ids)}) ORDER BY monitor_id`,
    ids,
  );
  return new Map([...Map.groupBy(rows, ({ used }) => used)].map(([used, of]) => [used, of.map(({ id }) => id)]));
}

/** A table of uses: the column of the user, in the order of the index, and the column of the used entity. */
export interface Use {
  /** Identifies the batch in which its pages are read. */
  readonly owner: symbol;
  readonly table: string;
  readonly index: string;
  readonly user: string;
  readonly used: string;
  /** SQL condition: the user is not deleted. */
  readonly shown: string;
}

/** UUIDs of the users of each entity, in order, in one statement. */
export async function usersOfEach(
  sql: Sql,
  { table, index, user, used }: Use,
  ids: readonly string[],
  { after, take }: PageRequest,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const part = `(SELECT ${used} AS used_, ${user} AS user_ FROM ${table} FORCE INDEX (${index})
    WHERE ${used} = ? AND ${user} > ? ORDER BY ${user} LIMIT ?)`;
  const rows = await sql.query<{ used_: string; user_: string }>(
    ids.map(() => part).join(' UNION ALL '),
    ids.flatMap((id): SqlValue[] => [id, after?.[0] ?? '', take]),
  );
  const byUsed = Map.groupBy(rows, ({ used_: of }) => of);
  return new Map([...byUsed].map(([of, all]) => [of, all.map(({ user_: id }) => id)]));
}

/** Number of users of each entity, with one statement. Null for more than 10,000. */
export function countsOfUsers(
  sql: Sql,
  { table, index, used, shown }: Use,
  ids: readonly string[],
): Promise<ReadonlyMap<string, number | null>> {
  const ranges = (id: string) => [{ sql: `${used} = ?`, values: [id] }];
  return countsOfParents(sql, ids, { table, index, ranges, rest: { sql: shown, values: [] } });
}

/** UUIDs of the pools and members for which a monitor is used. */
export async function usesOf(
  sql: Sql,
  monitorId: string,
): Promise<{ readonly poolIds: readonly string[]; readonly memberIds: readonly string[] }> {
  const rows = await sql.query<{ poolId: string | null; memberId: string | null }>(
    'SELECT pool_id AS poolId, member_id AS memberId FROM gslb_monitor_use WHERE monitor_id = ? LIMIT 10000',
    [monitorId],
  );
  return {
    poolIds: rows.flatMap(({ poolId }) => poolId ?? []),
    memberIds: rows.flatMap(({ memberId }) => memberId ?? []),
  };
}

/** False if it was already attached. */
export async function attachMonitor(tx: Transaction, monitorId: string, used: UsedFor): Promise<boolean> {
  const [column, id] = columnOf(used);
  const sql = `INSERT IGNORE INTO gslb_monitor_use (id, monitor_id, ${column}) VALUES (?, ?, ?)`;
  return (await tx.execute(sql, [newUuid(), monitorId, id])).affectedRows > 0;
}

/** False if it was not attached. */
export async function detachMonitor(tx: Transaction, monitorId: string, used: UsedFor): Promise<boolean> {
  const [column, id] = columnOf(used);
  const sql = `DELETE FROM gslb_monitor_use WHERE monitor_id = ? AND ${column} = ?`;
  return (await tx.execute(sql, [monitorId, id])).affectedRows > 0;
}

/** Deletes its members and their uses of monitors. */
export async function deletePoolContent(tx: Transaction, poolId: string): Promise<void> {
  await tx.execute(
    `DELETE u FROM gslb_monitor_use u JOIN gslb_pool_member m ON m.id = u.member_id WHERE m.pool_id = ?`,
    [poolId],
  );
  await tx.execute('DELETE FROM gslb_monitor_use WHERE pool_id = ?', [poolId]);
  await tx.execute(
    `UPDATE gslb_pool_member SET unique_key = NULL, deleted_at = NOW(3), version = version + 1, updated_at = NOW(3) WHERE pool_id = ? AND deleted_at IS NULL`,
    [poolId],
  );
}

export async function detachAll(tx: Transaction, memberId: string): Promise<void> {
  await tx.execute('DELETE FROM gslb_monitor_use WHERE member_id = ?', [memberId]);
}

/** A name of the flavor. Undefined if none uses it. */
export async function nameOfFlavor(sql: Sql, flavorId: string): Promise<string | undefined> {
  const text = 'SELECT fqdn FROM gslb WHERE flavor_id = ? AND live_fqdn IS NOT NULL LIMIT 1';
  return (await sql.query<{ fqdn: string }>(text, [flavorId]))[0]?.fqdn;
}

/** Flavors that name a vantage point. There are few flavors. */
export async function flavorsNaming(
  sql: Sql,
  vantagePoint: string,
): Promise<readonly { readonly name: string; readonly spec: FlavorSpec }[]> {
  const rows = await sql.query<{ name: string; spec: string }>(
    `SELECT name, spec FROM gslb_flavor WHERE live_name IS NOT NULL AND JSON_CONTAINS(spec, JSON_QUOTE(?), '$.vantagePoints') ORDER BY name`,
    [vantagePoint],
  );
  return rows.map(({ name, spec }) => ({ name, spec: JSON.parse(spec) as FlavorSpec }));
}

/** A zone or flavor that refers to a DNS backend, in words. Undefined if none does. */
export async function userOfBackend(sql: Sql, backendId: string): Promise<string | undefined> {
  const [zone] = await sql.query<{ name: string }>('SELECT name FROM gslb_zone WHERE backend_id = ? LIMIT 1', [
    backendId,
  ]);
  if (zone !== undefined) return `the zone ${zone.name}`;
  const text = `SELECT name FROM gslb_flavor WHERE live_name IS NOT NULL AND JSON_VALUE(spec, '$.backend') = ? LIMIT 1`;
  const [flavor] = await sql.query<{ name: string }>(text, [backendId]);
  return flavor === undefined ? undefined : `the flavor ${flavor.name}`;
}

/** A name in the zone. Undefined if there is none. */
export async function nameInZone(sql: Sql, zone: string): Promise<string | undefined> {
  const text = 'SELECT fqdn FROM gslb WHERE zone = ? AND live_fqdn IS NOT NULL LIMIT 1';
  return (await sql.query<{ fqdn: string }>(text, [zone]))[0]?.fqdn;
}

export async function countNamesOfFlavor(sql: Sql, projectId: string, flavorId: string): Promise<number> {
  const text = 'SELECT COUNT(*) AS count FROM gslb WHERE project_id = ? AND flavor_id = ? AND live_fqdn IS NOT NULL';
  return Number((await sql.query<{ count: number }>(text, [projectId, flavorId]))[0]?.count ?? 0);
}
