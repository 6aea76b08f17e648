// SQL of targets: each monitor that checks a member, directly or through its pool.
import type { Sql } from '../../../../platform/database/database.ts';
import { marksFor } from '../../../../platform/database/sql.ts';
import type { MemberSpec, MonitorSpec } from '../../spec/specs.ts';
import { poolRules, usesBy } from '../stores/standing-store.ts';
import { inPages } from '../stores/vote-store.ts';
import { isAskedInGraph, watchesType } from './targets.ts';

export interface TargetRow {
  readonly member: string;
  readonly pool: string;
  readonly monitor: string;
  readonly memberSpec: MemberSpec;
  readonly monitorSpec: MonitorSpec;
  /** Sealed. */
  readonly secret: string | null;
  /** Names of the vantage points that watch. Empty for all. */
  readonly vantagePoints: ReadonlySet<string>;
}

interface MemberPart {
  readonly id: string;
  readonly poolId: string;
  readonly spec: string;
}

interface UsePart {
  readonly poolId: string | null;
  readonly memberId: string | null;
  readonly monitorId: string;
}

interface MonitorPart {
  readonly id: string;
  readonly spec: string;
  readonly secret: string | null;
}

const usesSql = 'SELECT pool_id AS poolId, member_id AS memberId, monitor_id AS monitorId FROM';
const monitorsSql = 'SELECT id, spec, secret FROM gslb_monitor WHERE deleted_at IS NULL';

/** Pools that are not deleted, in the order of their UUIDs. */
export async function poolIdsAfter(db: Sql, after: string, take: number): Promise<readonly string[]> {
  const sql = 'SELECT id FROM gslb_pool WHERE id > ? AND deleted_at IS NULL ORDER BY id LIMIT ?';
  return (await db.query<{ id: string }>(sql, [after, take])).map(({ id }) => id);
}

/** The settings of all flavors as one text. There are few, and each may affect the vantage points of many pools. */
export async function flavorsText(db: Sql): Promise<string> {
  return JSON.stringify(await db.query('SELECT id, spec FROM gslb_flavor ORDER BY id'));
}

/** Targets of these pools. */
export async function readTargetsOfPools(db: Sql, poolIds: readonly string[]): Promise<readonly TargetRow[]> {
  const members = await inPages(poolIds, (page) =>
    db.query<MemberPart>(
      `SELECT id, pool_id AS poolId, spec FROM gslb_pool_member WHERE pool_id IN (${marksFor(page)}) AND deleted_at IS NULL ORDER BY id`,
      page,
    ),
  );
  const usesIn = (column: 'pool_id' | 'member_id', ids: readonly string[]) =>
    inPages(ids, (page) =>
      db.query<UsePart>(
        `${usesSql} ${usesBy[column]} WHERE ${column} IN (${marksFor(page)}) ORDER BY monitor_id`,
        page,
      ),
    );
  const ids = members.map(({ id }) => id);
  const uses = [...(await usesIn('pool_id', poolIds)), ...(await usesIn('member_id', ids))];
  const monitorIds = [...new Set(uses.map(({ monitorId }) => monitorId))];
  const monitors = await inPages(monitorIds, (page) =>
    db.query<MonitorPart>(`${monitorsSql} AND id IN (${marksFor(page)})`, page),
  );
  return targetsOf(db, members, uses, monitors);
}

async function targetsOf(
  db: Sql,
  members: readonly MemberPart[],
  uses: readonly UsePart[],
  read: readonly MonitorPart[],
): Promise<readonly TargetRow[]> {
  const monitors = new Map(read.map(({ id, spec, secret }) => [id, { spec: JSON.parse(spec) as MonitorSpec, secret }]));
  const rules = await poolRules(db, [...new Set(members.map(({ poolId }) => poolId))]);
  const byPool = Map.groupBy(uses, ({ poolId }) => poolId);
  const byMember = Map.groupBy(uses, ({ memberId }) => memberId);
  return members.flatMap(({ id, poolId, spec }) => {
    const own = [...(byPool.get(poolId) ?? []), ...(byMember.get(id) ?? [])].map(({ monitorId }) => monitorId);
    const vantagePoints = rules.get(poolId)?.vantagePoints ?? new Set<string>();
    return [...new Set(own)].flatMap((monitor): TargetRow[] => {
      const found = monitors.get(monitor);
      if (found === undefined) return [];
      const { spec: monitorSpec, secret } = found;
      const memberSpec = JSON.parse(spec) as MemberSpec;
      if (isAskedInGraph(monitorSpec) || !watchesType(memberSpec, monitorSpec)) return [];
      return [{ member: id, pool: poolId, monitor, memberSpec, monitorSpec, secret, vantagePoints }];
    });
  });
}
