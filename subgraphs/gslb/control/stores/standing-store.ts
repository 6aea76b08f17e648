// SQL of verdicts: members with their current standing, their monitors, and the rules of their pools. Evaluating a member locks
// its row first.
import type { Sql, SqlValue, Transaction } from '../../../../platform/database/database.ts';
import { marksFor } from '../../../../platform/database/sql.ts';
import type { Verdict } from '../../rules/quorum.ts';
import type { AdminState, OperatingStatus } from '../../rules/states.ts';
import type { FlavorSpec, MemberSpec, MonitorSpec, PoolSpec } from '../../spec/specs.ts';
import { inPages } from './vote-store.ts';

/** A region's verdict as stored (`KeptVerdict` with a time in place of an age). */
export interface RegionState {
  readonly verdict: Verdict | null;
  /** RFC 3339. */
  readonly verdictAt: string | null;
  readonly serving: boolean;
  readonly wasDown: boolean;
  readonly released: boolean;
}

/** Latency measured by the vantage points of a region. */
export interface RegionLatency {
  /** Published latency in milliseconds (rules/latency.ts). */
  readonly told: number;
}

export interface EvaluatedMember {
  readonly id: string;
  readonly projectId: string;
  readonly poolId: string;
  readonly name: string;
  readonly spec: MemberSpec;
  readonly adminState: AdminState;
  readonly adminUntil: Date | null;
  readonly verdict: Verdict | null;
  readonly verdictAt: Date | null;
  readonly serving: boolean;
  readonly wasDown: boolean;
  readonly released: boolean;
  readonly regionStates: Readonly<Record<string, RegionState>>;
  readonly undecidedAt: Date | null;
  readonly operatingStatus: OperatingStatus | null;
  readonly statusMessage: string | null;
  readonly lastUpAt: Date | null;
  readonly latency: Readonly<Record<string, RegionLatency>>;
  readonly version: number;
}

type Flags = 'serving' | 'wasDown' | 'released';
type Texts = 'spec' | 'regionStates' | 'latency';
type Raw = Omit<EvaluatedMember, Flags | Texts> & Readonly<Record<Flags, number>> & Readonly<Record<Texts, string>>;

const columns = `m.id, m.project_id AS projectId, m.pool_id AS poolId, m.name, m.spec, m.admin_state AS adminState, m.admin_until AS
  adminUntil, m.verdict, m.verdict_at AS verdictAt, m.serving, m.was_down AS wasDown, m.released, m.region_states AS regionStates,
  m.undecided_at AS undecidedAt, m.operating_status AS operatingStatus, m.status_message AS statusMessage, m.last_up_at AS lastUpAt,
  m.latency, m.version`;

function toRow(raw: Raw): EvaluatedMember {
  return {
    ...raw,
    serving: raw.serving === 1,
    wasDown: raw.wasDown === 1,
    released: raw.released === 1,
    spec: JSON.parse(raw.spec),
    regionStates: JSON.parse(raw.regionStates),
    latency: JSON.parse(raw.latency),
  };
}

/** Members that are not deleted, locked in the order of their IDs. */
export async function lockMembers(tx: Transaction, ids: readonly string[]): Promise<readonly EvaluatedMember[]> {
  return inPages([...new Set(ids)].sort(), async (page) => {
    // Reads by the primary key: any other index would lock rows in another order, and unrelated rows.
    const sql = `SELECT ${columns} FROM gslb_pool_member m FORCE INDEX (PRIMARY) WHERE m.id IN (${marksFor(page)}) AND m.deleted_at IS NULL
      ORDER BY m.id FOR UPDATE`;
    return (await tx.query<Raw>(sql, page)).map(toRow);
  });
}

/** Locks those of these members that are not deleted and not locked by another transaction, in the order of their ids. */
export async function lockFreeMembers(tx: Transaction, ids: readonly string[]): Promise<readonly EvaluatedMember[]> {
  return inPages([...new Set(ids)].sort(), async (page) => {
    const sql = `SELECT ${columns} FROM gslb_pool_member m FORCE INDEX (PRIMARY) WHERE m.id IN (${marksFor(page)}) AND m.deleted_at IS NULL
      ORDER BY m.id FOR UPDATE SKIP LOCKED`;
    return (await tx.query<Raw>(sql, page)).map(toRow);
  });
}

/** Members that are not deleted, by ID. */
export async function readMembers(db: Sql, ids: readonly string[]): Promise<readonly EvaluatedMember[]> {
  return inPages(ids, async (page) => {
    const sql = `SELECT ${columns} FROM gslb_pool_member m WHERE m.id IN (${marksFor(page)}) AND m.deleted_at IS NULL ORDER BY m.id`;
    return (await db.query<Raw>(sql, page)).map(toRow);
  });
}

/** UUIDs of members that are not deleted, in order. */
export async function memberIdsAfter(
  db: Sql,
  { after, take }: { readonly after: string; readonly take: number },
): Promise<readonly string[]> {
  const sql = 'SELECT id FROM gslb_pool_member WHERE id > ? AND deleted_at IS NULL ORDER BY id LIMIT ?';
  return (await db.query<{ id: string }>(sql, [after, take])).map(({ id }) => id);
}

/** Members of pools that are not deleted. */
export async function membersOfPools(db: Sql, poolIds: readonly string[]): Promise<readonly EvaluatedMember[]> {
  return inPages(poolIds, async (page) => {
    const sql = `SELECT ${columns} FROM gslb_pool_member m WHERE m.pool_id IN (${marksFor(page)}) AND m.deleted_at IS NULL ORDER BY m.id`;
    return (await db.query<Raw>(sql, page)).map(toRow);
  });
}

/** The UUID of a member's pool. Empty if the member is deleted. */
export async function poolOfMember(db: Sql, id: string): Promise<readonly string[]> {
  const rows = await db.query<{ poolId: string }>('SELECT pool_id AS poolId FROM gslb_pool_member WHERE id = ?', [id]);
  return rows.map(({ poolId }) => poolId);
}

/** Fields that an evaluation of a member may change. */
export type Standing = Pick<
  EvaluatedMember,
  | ('verdict' | 'verdictAt' | 'serving' | 'wasDown' | 'released' | 'regionStates' | 'undecidedAt')
  | ('adminState' | 'adminUntil' | 'operatingStatus' | 'statusMessage' | 'lastUpAt' | 'latency' | 'version')
>;

interface NewStanding {
  readonly member: EvaluatedMember;
  readonly standing: Standing;
}

/** Runs in the transaction that has locked the members. Their rows exist, so one statement updates many of them. */
export async function storeStandings(tx: Transaction, evaluated: readonly NewStanding[]): Promise<void> {
  await inPages(evaluated, async (page) => {
    const values = page.flatMap(({ member, standing }): SqlValue[] => {
      const { verdict, verdictAt, serving, wasDown, released, regionStates, undecidedAt } = standing;
      const { adminState, adminUntil, operatingStatus, statusMessage, lastUpAt, latency, version } = standing;
      return [
        ...[member.id, member.projectId, member.poolId, member.name, ''],
        ...[verdict, verdictAt, serving, wasDown, released, JSON.stringify(regionStates), undecidedAt],
        ...[adminState, adminUntil, operatingStatus, statusMessage, lastUpAt, JSON.stringify(latency), version],
      ];
    });
    const rows = page.map(() => `(${marksFor({ length: values.length / page.length })})`).join(', ');
    await tx.execute(
      `INSERT INTO gslb_pool_member (id, project_id, pool_id, name, spec, verdict, verdict_at, serving, was_down, released, region_states,
        undecided_at, admin_state, admin_until, operating_status, status_message, last_up_at, latency, version) VALUES ${rows}
      ON DUPLICATE KEY UPDATE verdict = VALUES(verdict), verdict_at = VALUES(verdict_at), serving = VALUES(serving),
        was_down = VALUES(was_down), released = VALUES(released), region_states = VALUES(region_states),
        undecided_at = VALUES(undecided_at), admin_reason = IF(VALUES(admin_state) = 'AUTO', NULL, admin_reason),
        admin_state = VALUES(admin_state), admin_until = VALUES(admin_until), operating_status = VALUES(operating_status),
        status_message = VALUES(status_message), last_up_at = VALUES(last_up_at), latency = VALUES(latency),
        updated_at = IF(version = VALUES(version), updated_at, NOW(3)), version = VALUES(version),
        judge_version = judge_version + 1`,
      values,
    );
    return [];
  });
}

export interface MonitorUse {
  readonly monitorId: string;
  readonly poolId: string | null;
  readonly memberId: string | null;
  readonly spec: MonitorSpec;
}

/** Uses the index. Few members have their own uses, and a long list of members without any would read all uses. */
export const usesBy = {
  pool_id: 'gslb_monitor_use FORCE INDEX (gslb_monitor_use_pool_idx)',
  member_id: 'gslb_monitor_use FORCE INDEX (gslb_monitor_use_member_idx)',
} as const;

/** Monitors of the members and of their pools. */
export async function monitorsOf(
  db: Sql,
  members: readonly Pick<EvaluatedMember, 'id' | 'poolId'>[],
): Promise<readonly MonitorUse[]> {
  // Many members use few monitors, so each monitor is returned once.
  const found = (column: 'pool_id' | 'member_id', ids: readonly string[]) =>
    inPages(ids, (page) =>
      db.query<Omit<MonitorUse, 'spec'>>(
        `SELECT monitor_id AS monitorId, pool_id AS poolId, member_id AS memberId FROM ${usesBy[column]} WHERE ${column} IN (${marksFor(page)})
        ORDER BY monitor_id`,
        page,
      ),
    );
  const pools = [...new Set(members.map(({ poolId }) => poolId))];
  const uses = [
    ...(await found('pool_id', pools)),
    ...(await found(
      'member_id',
      members.map(({ id }) => id),
    )),
  ];
  const specs = await monitorSpecs(
    db,
    uses.map(({ monitorId }) => monitorId),
  );
  return uses.flatMap((use) => {
    const spec = specs.get(use.monitorId);
    return spec === undefined ? [] : [{ ...use, spec }];
  });
}

/** Keyed by id. */
async function monitorSpecs(db: Sql, ids: readonly string[]): Promise<ReadonlyMap<string, MonitorSpec>> {
  const rows = await inPages([...new Set(ids)], (page) =>
    db.query<{ id: string; spec: string }>(
      `SELECT id, spec FROM gslb_monitor WHERE id IN (${marksFor(page)}) AND deleted_at IS NULL`,
      page,
    ),
  );
  return new Map(rows.map(({ id, spec }) => [id, JSON.parse(spec)]));
}

/** Vantage points in a flavor's specification. Empty for all. */
function vantagePointsOf(spec: string | null): readonly string[] {
  return spec === null ? [] : ((JSON.parse(spec) as FlavorSpec).vantagePoints ?? []);
}

export interface PoolRule {
  readonly id: string;
  readonly projectId: string;
  readonly spec: PoolSpec;
  /** Names of the vantage points that watch its members. Empty for all. */
  readonly vantagePoints: ReadonlySet<string>;
}

/** Keyed by id. The flavors of the names that use a pool select its vantage points. All vantage points watch a pool without a name. */
export async function poolRules(db: Sql, ids: readonly string[]): Promise<ReadonlyMap<string, PoolRule>> {
  const pools = await inPages(ids, (page) =>
    db.query<{ id: string; projectId: string; spec: string }>(
      `SELECT id, project_id AS projectId, spec FROM gslb_pool WHERE id IN (${marksFor(page)}) AND deleted_at IS NULL`,
      page,
    ),
  );
  const flavors = await inPages(ids, (page) =>
    db.query<{ poolId: string; spec: string | null }>(
      `SELECT u.pool_id AS poolId, f.spec FROM (SELECT DISTINCT u.pool_id, g.flavor_id FROM gslb_pool_use u
        JOIN gslb g ON g.id = u.gslb_id AND g.live_fqdn IS NOT NULL WHERE u.pool_id IN (${marksFor(page)})) u
        LEFT JOIN gslb_flavor f ON f.id = u.flavor_id`,
      page,
    ),
  );
  const byPool = Map.groupBy(flavors, ({ poolId }) => poolId);
  return new Map(
    pools.map(({ id, projectId, spec }) => {
      const lists = (byPool.get(id) ?? []).map(({ spec: of }) => vantagePointsOf(of));
      const all = lists.some((list) => list.length === 0);
      return [id, { id, projectId, spec: JSON.parse(spec), vantagePoints: new Set(all ? [] : lists.flat()) }];
    }),
  );
}
