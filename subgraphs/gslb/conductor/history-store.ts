// SQL of the history of verdicts, as the graph reads it.
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

type Raw = Omit<FlipRow, 'late' | 'ballots'> & { readonly late: number; readonly ballots: string };

const columns =
  'id, member_id AS memberId, at, region, verdict_before AS `before`, verdict_after AS `after`, reason, late, ballots';

function toRow(raw: Raw): FlipRow {
  return { ...raw, late: raw.late === 1, ballots: JSON.parse(raw.ballots) };
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
  const rows = await sql.query<Raw>(
    `SELECT ${columns} FROM gslb_flip ${where.length === 0 ? '' : `WHERE ${where.join(' AND ')}`} ORDER BY id DESC LIMIT ?`,
    [...values, take],
  );
  return rows.map(toRow);
}

/** By id. */
export async function readFlip(sql: Sql, id: string): Promise<FlipRow | undefined> {
  return (await sql.query<Raw>(`SELECT ${columns} FROM gslb_flip WHERE id = ?`, [id])).map(toRow)[0];
}
