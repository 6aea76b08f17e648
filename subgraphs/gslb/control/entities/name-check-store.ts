// SQL for the checks of a name before it is stored: zones, its pools with their members and monitors, and CNAMEs of other names.
import type { BackendType } from '../../../../dns/records/backend-types.ts';
import type { Sql } from '../../../../platform/database/database.ts';
import { marksFor } from '../../../../platform/database/sql.ts';
import type { GslbSpec, MemberSpec, MonitorSpec, PoolSpec, VantagePointSpec, ZoneSpec } from '../../spec/specs.ts';

export interface CheckedZone {
  readonly name: string;
  readonly spec: ZoneSpec;
  readonly backendId: string | null;
  readonly backendType: BackendType;
}

/** Zones above a name, the longest first. */
export async function zonesOver(
  sql: Sql,
  fqdn: string,
  lock: '' | 'LOCK IN SHARE MODE' | 'FOR UPDATE' = '',
): Promise<readonly CheckedZone[]> {
  const labels = fqdn.split('.');
  const names = labels.map((_, at) => labels.slice(at).join('.'));
  const rows = await sql.query<Omit<CheckedZone, 'spec'> & { readonly spec: string }>(
    `SELECT name, spec, backend_id AS backendId, backend_type AS backendType FROM gslb_zone WHERE name IN (${marksFor(names)}) ${lock}`,
    names,
  );
  return rows
    .map((row) => ({ ...row, spec: JSON.parse(row.spec) as ZoneSpec }))
    .sort((one, other) => other.name.length - one.name.length);
}

export interface CheckedPool {
  readonly id: string;
  readonly projectId: string;
  readonly name: string;
  readonly spec: PoolSpec;
  readonly members: readonly { readonly id: string; readonly name: string; readonly spec: MemberSpec }[];
  readonly monitors: readonly { readonly name: string; readonly spec: MonitorSpec }[];
}

/** Keyed by id. Omits deleted pools. */
export async function checkedPools(sql: Sql, ids: readonly string[]): Promise<ReadonlyMap<string, CheckedPool>> {
  if (ids.length === 0) return new Map();
  const marks = marksFor(ids);
  const pools = await sql.query<{ id: string; projectId: string; name: string; spec: string }>(
    `SELECT id, project_id AS projectId, name, spec FROM gslb_pool WHERE id IN (${marks}) AND live_name IS NOT NULL`,
    ids,
  );
  const members = await sql.query<{ id: string; poolId: string; name: string; spec: string }>(
    `SELECT id, pool_id AS poolId, name, spec FROM gslb_pool_member WHERE pool_id IN (${marks}) AND deleted_at IS NULL ORDER BY id`,
    ids,
  );
  const monitors = await sql.query<{ poolId: string; name: string; spec: string }>(
    `SELECT u.pool_id AS poolId, m.name, m.spec FROM gslb_monitor_use u JOIN gslb_monitor m ON m.id = u.monitor_id
    WHERE u.pool_id IN (${marks})
    UNION SELECT p.pool_id, m.name, m.spec FROM gslb_pool_member p JOIN gslb_monitor_use u ON u.member_id = p.id
    JOIN gslb_monitor m ON m.id = u.monitor_id WHERE p.pool_id IN (${marks}) AND p.deleted_at IS NULL`,
    [...ids, ...ids],
  );
  const read = <Spec>(rows: readonly { readonly poolId: string; readonly spec: string }[], id: string) =>
    rows.filter(({ poolId }) => poolId === id).map((row) => ({ ...row, spec: JSON.parse(row.spec) as Spec }));
  return new Map(
    pools.map((pool) => [
      pool.id,
      {
        ...pool,
        spec: JSON.parse(pool.spec) as PoolSpec,
        members: read<MemberSpec>(members, pool.id) as unknown as CheckedPool['members'],
        monitors: read<MonitorSpec>(monitors, pool.id) as unknown as CheckedPool['monitors'],
      },
    ]),
  );
}

/** Vantage points that are not deleted. */
export async function checkedVantagePoints(
  sql: Sql,
): Promise<readonly { readonly name: string; readonly region: string; readonly spec: VantagePointSpec }[]> {
  const rows = await sql.query<{ name: string; region: string; spec: string }>(
    'SELECT name, region, spec FROM gslb_vantage_point WHERE live_name IS NOT NULL ORDER BY name LIMIT 1000',
  );
  return rows.map((row) => ({ ...row, spec: JSON.parse(row.spec) as VantagePointSpec }));
}

/** Possible CNAME targets of each of these names, or of the wildcard above it. Names that do not exist are left out. */
export async function cnamesOfNames(
  sql: Sql,
  names: readonly string[],
): Promise<ReadonlyMap<string, readonly string[]>> {
  const owners = [...new Set(names.flatMap((name) => [name, ...wildcardsOver(name)]))];
  if (owners.length === 0) return new Map();
  const rows = await sql.query<{ id: string; fqdn: string; spec: string }>(
    `SELECT id, fqdn, spec FROM gslb WHERE live_fqdn IN (${marksFor(owners)})`,
    owners,
  );
  if (rows.length === 0) return new Map();
  const ids = rows.map(({ id }) => id);
  const members = await sql.query<{ gslbId: string; spec: string }>(
    `SELECT u.gslb_id AS gslbId, m.spec FROM gslb_pool_use u JOIN gslb_pool_member m ON m.pool_id = u.pool_id AND m.deleted_at IS NULL
    WHERE u.gslb_id IN (${marksFor(ids)}) AND JSON_VALUE(m.spec, '$.cname') IS NOT NULL`,
    ids,
  );
  return new Map(
    rows.map(({ id, fqdn, spec }) => {
      const { noneUp } = JSON.parse(spec) as GslbSpec;
      const own = members
        .filter(({ gslbId }) => gslbId === id)
        .map((row) => (JSON.parse(row.spec) as MemberSpec).cname);
      const targets = [...own, noneUp.do === 'CNAME' ? noneUp.target : null].flatMap((target) => target ?? []);
      return [fqdn, targets.map((target) => target.toLowerCase())];
    }),
  );
}

function wildcardsOver(name: string): readonly string[] {
  const labels = name.split('.');
  return labels.slice(1, -1).map((_, at) => `*.${labels.slice(at + 1).join('.')}`);
}
