// SQL of members that are load balancers of ours, as far as a monitor of type LOADBALANCER follows them.
import type { Sql, Transaction } from '../../../../platform/database/database.ts';
import { marksFor } from '../../../../platform/database/sql.ts';
import type { MemberSpec, MonitorSpec } from '../../spec/specs.ts';
import type { EvaluatedMember } from '../stores/standing-store.ts';
import { inPages, readVotes, type VoteRow } from '../stores/vote-store.ts';

/** The voter of monitors that use a status in the graph. It is not a vantage point, and the only voter of its monitor. */
export const graphVoter = '00000000-0000-0000-0000-000000000000';

export interface FollowedMember {
  readonly id: string;
  readonly projectId: string;
  readonly spec: MemberSpec;
  readonly monitors: readonly FollowingMonitor[];
}

export interface FollowingMonitor {
  readonly id: string;
  readonly spec: MonitorSpec;
  /** The stored vote. Undefined if there is none yet. */
  readonly vote: VoteRow | undefined;
}

interface MemberPart {
  readonly id: string;
  readonly projectId: string;
  readonly poolId: string;
  readonly spec: string;
}

/** Sorted by id. */
export async function readFollowed(db: Sql): Promise<readonly FollowedMember[]> {
  const found = await db.query<{ id: string; spec: string }>(
    "SELECT id, spec FROM gslb_monitor WHERE type = 'LOADBALANCER' AND deleted_at IS NULL ORDER BY id",
  );
  if (found.length === 0) return [];
  const monitors = new Map(found.map(({ id, spec }) => [id, JSON.parse(spec) as MonitorSpec]));
  const uses = await inPages([...monitors.keys()], (page) =>
    db.query<{ monitorId: string; poolId: string | null; memberId: string | null }>(
      `SELECT monitor_id AS monitorId, pool_id AS poolId, member_id AS memberId FROM gslb_monitor_use
      WHERE monitor_id IN (${marksFor(page)}) ORDER BY monitor_id`,
      page,
    ),
  );
  const members = await membersOf(db, uses);
  const votes = Map.groupBy(
    (
      await readVotes(
        db,
        members.map(({ id }) => id),
      )
    ).filter(({ vantagePointId }) => vantagePointId === graphVoter),
    ({ memberId }) => memberId,
  );
  return members.map(({ id, projectId, poolId, spec }) => {
    const own = uses.filter((use) => use.memberId === id || use.poolId === poolId).map(({ monitorId }) => monitorId);
    return {
      ...{ id, projectId, spec },
      monitors: [...new Set(own)].flatMap((monitorId): FollowingMonitor[] => {
        const monitor = monitors.get(monitorId);
        const vote = votes.get(id)?.find((each) => each.monitorId === monitorId);
        return monitor === undefined ? [] : [{ id: monitorId, spec: monitor, vote }];
      }),
    };
  });
}

async function membersOf(
  db: Sql,
  uses: readonly { readonly poolId: string | null; readonly memberId: string | null }[],
): Promise<readonly (Omit<MemberPart, 'spec'> & { readonly spec: MemberSpec })[]> {
  const read = (column: 'pool_id' | 'id', ids: readonly string[]) =>
    inPages([...new Set(ids)], (page) =>
      db.query<MemberPart>(
        `SELECT id, project_id AS projectId, pool_id AS poolId, spec FROM gslb_pool_member
        WHERE ${column} IN (${marksFor(page)}) AND deleted_at IS NULL AND JSON_VALUE(spec, '$.type') = 'LOADBALANCER'`,
        page,
      ),
    );
  const rows = [
    ...(await read(
      'pool_id',
      uses.flatMap(({ poolId }) => poolId ?? []),
    )),
    ...(await read(
      'id',
      uses.flatMap(({ memberId }) => memberId ?? []),
    )),
  ];
  return [...new Map(rows.map((row) => [row.id, { ...row, spec: JSON.parse(row.spec) as MemberSpec }])).values()];
}

/** Stores the addresses at which the load balancer can be reached now. Returns the changed member, whose version rises by one. */
export async function storeFollowedAddresses(
  tx: Transaction,
  member: EvaluatedMember,
  addresses: readonly string[],
): Promise<EvaluatedMember> {
  const spec = { ...member.spec, addresses };
  const version = member.version + 1;
  await tx.execute('UPDATE gslb_pool_member SET spec = ?, version = ?, updated_at = NOW(3) WHERE id = ?', [
    ...[JSON.stringify(spec), version, member.id],
  ]);
  return { ...member, spec, version };
}
