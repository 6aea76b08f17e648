// SQL of the history of verdicts, as the graph reads it.
import { always, type Condition, type Sql, type SqlValue } from '../../../../platform/database/database.ts';
import { countsOfParents } from '../../../../platform/database/parent-rows.ts';
import { allOf, countRanges, isOneOf, searchRanges } from '../../../../platform/database/range-search.ts';
import { marksFor } from '../../../../platform/database/sql.ts';
import { CodedError } from '../../../../platform/errors/errors.ts';
import {
  type Page,
  type PageArguments,
  type PageRequest,
  pageRequest,
  searchedItems,
} from '../../../../platform/pages/connection.ts';
import type { Count } from '../../rules/judge.ts';
import type { Verdict } from '../../rules/quorum.ts';

export interface FlipRow {
  readonly id: string;
  readonly memberId: string;
  readonly at: Date;
  readonly region: string | null;
  readonly before: Verdict | null;
  readonly after: Verdict | null;
  readonly reason: string;
  readonly late: boolean;
  readonly ballots: readonly BallotRow[];
}

export interface BallotRow {
  readonly vantagePoint: string;
  readonly region: string;
  readonly verdict: Verdict | null;
  readonly ageMs: number | null;
  readonly count: Count | 'LATE';
  readonly latencyMs: number | null;
  readonly message: string | null;
}

type Raw = Omit<FlipRow, 'late' | 'ballots'> & { readonly late: number; readonly ballots: string };

const columns =
  'id, member_id AS memberId, at, region, verdict_before AS `before`, verdict_after AS `after`, reason, late, ballots';

function toRow(raw: Raw): FlipRow {
  return { ...raw, late: raw.late === 1, ballots: JSON.parse(raw.ballots) };
}

/** `pools`, `memberId`: filters. Throws INVALID_INPUT. */
export async function pageOfFlips(
  sql: Sql,
  filter: {
    readonly projects: 'all' | readonly string[];
    readonly pools?: readonly string[];
    readonly memberId?: string;
  },
  args: PageArguments,
  orderBy: 'NEWEST' | 'OLDEST',
): Promise<Page<FlipRow>> {
  const { first, take, after } = pageRequest(args, 2);
  if (after !== undefined && after[0] !== orderBy)
    throw new CodedError('INVALID_INPUT', 'after: this endCursor is of another order; omit it for the first page.');
  const { projects, pools, memberId } = filter;
  const ofPools = isOneOf('pool_id', pools);
  const each = (index: string, column: string, values: readonly string[], ...rest: (Condition | undefined)[]) => ({
    ranges: values.map((value) => ({ index, condition: { sql: `${column} = ?`, values: [value] } })),
    rest: allOf([projects === 'all' ? undefined : isOneOf('project_id', projects), ...rest]),
  });
  const ranges = () => {
    if (memberId !== undefined) return each('gslb_flip_member_idx', 'member_id', [memberId], ofPools);
    if (pools !== undefined) return each('gslb_flip_pool_idx', 'pool_id', pools);
    if (projects === 'all') return { ranges: [{ index: 'PRIMARY', condition: always }] };
    return { ...each('gslb_flip_project_idx', 'project_id', projects), rest: undefined };
  };
  const search = { table: 'gslb_flip', key: ['id'], ...ranges() };
  const found = await searchRanges<readonly [string]>(sql, {
    ...search,
    ...{ order: orderBy === 'NEWEST' ? 'DESC' : 'ASC', take, after: after?.slice(1) },
  });
  const ids = found.keys.slice(0, first).map(([id]) => id);
  const rows =
    ids.length === 0
      ? []
      : await sql.query<Raw>(`SELECT ${columns} FROM gslb_flip WHERE id IN (${marksFor(ids)})`, ids);
  const byId = new Map(rows.map((raw) => [raw.id, toRow(raw)]));
  const items = searchedItems(found, first, ([id]) => byId.get(id), orderBy);
  return { ...items, count: () => countRanges(sql, search) };
}

/** The newest flips of each pool's members, with one statement. */
export async function flipsOfEach(
  sql: Sql,
  poolIds: readonly string[],
  { after, take }: PageRequest,
): Promise<ReadonlyMap<string, readonly FlipRow[]>> {
  const [before] = after ?? [];
  const part = `(SELECT ${columns}, pool_id AS poolId FROM gslb_flip FORCE INDEX (gslb_flip_pool_idx)
    WHERE pool_id = ? ${before === undefined ? '' : 'AND id < ?'} ORDER BY id DESC LIMIT ?)`;
  const rows = await sql.query<Raw & { readonly poolId: string }>(
    poolIds.map(() => part).join(' UNION ALL '),
    poolIds.flatMap((id): SqlValue[] => [id, ...(before === undefined ? [] : [before]), take]),
  );
  return new Map([...Map.groupBy(rows, ({ poolId }) => poolId)].map(([id, raws]) => [id, raws.map(toRow)]));
}

/** Number of changes of each pool, with one statement. Null for more than 10,000. */
export function countsOfFlips(sql: Sql, poolIds: readonly string[]): Promise<ReadonlyMap<string, number | null>> {
  const ranges = (id: string) => [{ sql: 'pool_id = ?', values: [id] }];
  return countsOfParents(sql, poolIds, { table: 'gslb_flip', index: 'gslb_flip_pool_idx', ranges });
}

/** Finds a flip by id. */
export async function readFlip(sql: Sql, id: string): Promise<FlipRow | undefined> {
  return (await sql.query<Raw>(`SELECT ${columns} FROM gslb_flip WHERE id = ?`, [id])).map(toRow)[0];
}
