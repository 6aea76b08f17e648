// SQL of the history of verdicts and of present votes, as the graph reads them.
import type { Sql, SqlValue } from '../../../platform/database/database.ts';
import { marksFor } from '../../../platform/database/sql.ts';
import type { PageRequest } from '../../../platform/graph/connection.ts';
import type { Count } from '../engine/judge.ts';
import type { Verdict } from '../engine/quorum.ts';

export interface FlipRow {
  readonly id: string;
  readonly memberId: string;
  readonly at: Date;
  readonly region: string | null;
  readonly before: Verdict | null;
  readonly after: Verdict | null;
  readonly reason: string;
  readonly late: boolean;
  readonly ballots: readonly {
    readonly vantagePoint: string;
    readonly region: string;
    readonly verdict: Verdict | null;
    readonly ageMs: number | null;
    readonly count: Count | 'LATE';
    readonly latencyMs: number | null;
    readonly message: string | null;
  }[];
}

/** Newest first. `pools`, `memberId`: only of these. */
export async function pageOfFlips(
  sql: Sql,
  filter: {
    readonly projects: 'all' | readonly string[];
    readonly pools?: readonly string[];
    readonly memberId?: string;
  },
  { after, take }: PageRequest,
): Promise<readonly FlipRow[]> {
  const { projects, pools, memberId } = filter;
  if ((projects !== 'all' && projects.length === 0) || pools?.length === 0) return [];
  const where: string[] = [];
  const values: SqlValue[] = [];
  const also = (text: string, ...more: readonly SqlValue[]) => {
    where.push(text);
    values.push(...more);
  };
  if (after?.[0] !== undefined) also('id < ?', after[0]);
  if (projects !== 'all') also(`project_id IN (${marksFor(projects)})`, ...projects);
  if (pools !== undefined) also(`pool_id IN (${marksFor(pools)})`, ...pools);
  if (memberId !== undefined) also('member_id = ?', memberId);
  const rows = await sql.query<Omit<FlipRow, 'late' | 'ballots'> & { late: number; ballots: string }>(
    `SELECT id, member_id AS memberId, at, region, verdict_before AS \`before\`, verdict_after AS \`after\`, reason, late, ballots
    FROM gslb_flip ${where.length === 0 ? '' : `WHERE ${where.join(' AND ')}`} ORDER BY id DESC LIMIT ?`,
    [...values, take],
  );
  return rows.map((row) => ({ ...row, late: row.late === 1, ballots: JSON.parse(row.ballots) as FlipRow['ballots'] }));
}

export interface PresentVote {
  readonly memberId: string;
  readonly monitorId: string;
  readonly vantagePoint: string;
  readonly region: string;
  readonly verdict: Verdict | null;
  readonly since: Date | null;
  readonly latencyMs: number | null;
  readonly message: string | null;
}

/** By member, in the order of vantage points. */
export async function presentVotes(
  sql: Sql,
  memberIds: readonly string[],
): Promise<ReadonlyMap<string, readonly PresentVote[]>> {
  if (memberIds.length === 0) return new Map();
  const rows = await sql.query<PresentVote>(
    `SELECT v.member_id AS memberId, v.monitor_id AS monitorId, p.name AS vantagePoint, p.region, v.verdict, v.since_at AS since,
      v.latency_ms AS latencyMs, v.message FROM gslb_vote v JOIN gslb_vantage_point p ON p.id = v.vantage_point_id AND p.live_name IS NOT NULL
    WHERE v.member_id IN (${marksFor(memberIds)}) ORDER BY p.name, v.monitor_id`,
    memberIds,
  );
  return Map.groupBy(rows, ({ memberId }) => memberId);
}
