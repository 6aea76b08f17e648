// Pages of rows that match a filter, with a bound on the rows read. A search reads ranges of indexes, each in the order of the
// page, and merges them. Conditions that no index serves (`rest`) are checked on a bounded number of rows of these ranges: if the
// bound ends a page, the next one goes on from there.
import { always, type Condition, type Sql, type SqlValue } from './database.ts';
import { marksFor } from './sql.ts';

/** A part of an index, whose rows are in the order of the page. */
export interface IndexRange {
  readonly index: string;
  readonly condition: Condition;
}

export type KeyPart = string | number;

export interface RangeSearch {
  readonly table: string;
  /** The columns of the order; together unique. */
  readonly key: readonly string[];
  readonly order: 'ASC' | 'DESC';
  readonly ranges: readonly IndexRange[];
  /** A further condition on the rows. */
  readonly rest?: Condition | undefined;
  /** The key of the last row of the previous page. */
  readonly after?: readonly KeyPart[] | undefined;
  /** Most rows found. */
  readonly take: number;
  /** Most rows on which `rest` is checked, all ranges together; default 800. Fewer if it reads other tables. */
  readonly mostLookedAt?: number;
}

export interface FoundRows<Key> {
  /** In order. */
  readonly keys: readonly Key[];
  /** The bound ended the search at this row: there may be more after it. */
  readonly lookedTo: Key | undefined;
}

/** Rows of one search, all ranges together. */
const usuallyLookedAt = 800;
const leastOfRange = 20;
const rangesOfStatement = 40;

/**
 * The values of a column in the rows of a range, in order. The column follows the condition's columns in the index, so that each
 * value costs one step in it: DISTINCT would read all rows.
 */
export async function valuesInRange(
  db: Sql,
  table: string,
  column: string,
  range: IndexRange,
): Promise<readonly string[]> {
  const [found = []] = await valuesInRanges(db, table, column, [range]);
  return found;
}

/** Like `valuesInRange`, for several ranges: each statement finds the next value of every range. */
export async function valuesInRanges(
  db: Sql,
  table: string,
  column: string,
  ranges: readonly IndexRange[],
): Promise<readonly (readonly string[])[]> {
  const found = ranges.map((): string[] => []);
  let open = [...ranges.keys()];
  while (open.length > 0) {
    const parts = open.map((number) => {
      const { index, condition } = ranges[number] as IndexRange;
      return {
        sql: `(SELECT ${number} AS range_, ${column} AS value FROM ${table} FORCE INDEX (${index})
          WHERE ${condition.sql} AND ${column} > ? ORDER BY ${column} LIMIT 1)`,
        values: [...condition.values, found[number]?.at(-1) ?? ''],
      };
    });
    const rows = await db.query<{ range_: number; value: string }>(
      parts.map(({ sql }) => sql).join(' UNION ALL '),
      parts.flatMap(({ values }) => values),
    );
    for (const { range_, value } of rows) found[Number(range_)]?.push(value);
    open = rows.map(({ range_ }) => Number(range_));
  }
  return found;
}

/** Returns the keys of the matching rows. Reads few rows if most of them match, otherwise up to the bound. */
export async function searchRanges<Key extends readonly KeyPart[]>(
  db: Sql,
  search: RangeSearch,
): Promise<FoundRows<Key>> {
  const { ranges, rest, take } = search;
  if (rest === undefined) return look(db, search, take);
  const { most, few } = boundsOf(search, ranges.length);
  const found = await look<Key>(db, search, few);
  return found.lookedTo === undefined || few === most ? found : look(db, search, most);
}

interface ParentSearch extends Omit<RangeSearch, 'ranges'> {
  readonly ranges: (parent: string) => readonly IndexRange[];
}

/** Like `searchRanges`, for the lists of several parents: by one statement, or two where few rows match. */
export async function searchParents<Key extends readonly KeyPart[]>(
  db: Sql,
  parents: readonly string[],
  search: ParentSearch,
): Promise<ReadonlyMap<string, FoundRows<Key>>> {
  const lookAt = async (some: readonly string[], limit: number) => {
    const ranges = some.map((parent) => search.ranges(parent));
    const found = await readRanges<Key>(db, search, ranges.flat(), limit);
    let at = 0;
    return some.map((parent, number) => {
      const own = found.slice(at, at + (ranges[number]?.length ?? 0));
      at += own.length;
      return [parent, merged(search, own, limit)] as const;
    });
  };
  if (search.rest === undefined) return new Map(await lookAt(parents, search.take));
  const most = Math.max(1, ...parents.map((parent) => search.ranges(parent).length));
  const bounds = boundsOf(search, most);
  const found = new Map(await lookAt(parents, bounds.few));
  if (bounds.few === bounds.most) return found;
  const unsettled = parents.filter((parent) => found.get(parent)?.lookedTo !== undefined);
  return new Map([...found, ...(await lookAt(unsettled, bounds.most))]);
}

/** How many rows of each range are looked at, first and at most. */
function boundsOf({ mostLookedAt = usuallyLookedAt, take }: Omit<RangeSearch, 'ranges'>, ranges: number) {
  const most = Math.max(leastOfRange, Math.floor(mostLookedAt / Math.max(1, ranges)));
  return { most, few: Math.min(most, 2 * take) };
}

/** Most rows that a count reads. */
export const mostCounted = 10_000;

/** The number of all matching rows. Null if more than `mostCounted` rows of the ranges would have to be read. */
export async function countRanges(
  db: Sql,
  { table, ranges, rest = always }: Pick<RangeSearch, 'table' | 'ranges' | 'rest'>,
): Promise<number | null> {
  let read = 0;
  let matching = 0;
  for (let first = 0; first < ranges.length; first += rangesOfStatement) {
    const parts = ranges.slice(first, first + rangesOfStatement).map(({ index, condition }) => ({
      sql: `(SELECT (${rest.sql}) AS hit FROM ${table} FORCE INDEX (${index}) WHERE ${condition.sql}
        LIMIT ${mostCounted + 1 - read})`,
      values: [...rest.values, ...condition.values],
    }));
    const rows = await db.query<{ readonly seen: number | bigint; readonly hits: number | string | null }>(
      `SELECT COUNT(*) AS seen, SUM(hit) AS hits FROM (${parts.map(({ sql }) => sql).join(' UNION ALL ')}) counted`,
      parts.flatMap(({ values }) => values),
    );
    read += Number(rows[0]?.seen ?? 0);
    matching += Number(rows[0]?.hits ?? 0);
    if (read > mostCounted) return null;
  }
  return matching;
}

type Found<Key> = { readonly key: Key; readonly hit: boolean };

/** Reads this many rows of each range. */
async function look<Key extends readonly KeyPart[]>(
  db: Sql,
  search: RangeSearch,
  limit: number,
): Promise<FoundRows<Key>> {
  const { ranges } = search;
  const found: (readonly Found<Key>[])[] = [];
  for (let first = 0; first < ranges.length; first += rangesOfStatement)
    found.push(...(await readRanges<Key>(db, search, ranges.slice(first, first + rangesOfStatement), limit)));
  return merged(search, found, limit);
}

/** Of each range, in order, by one statement. */
async function readRanges<Key extends readonly KeyPart[]>(
  db: Sql,
  search: Omit<RangeSearch, 'ranges'>,
  ranges: readonly IndexRange[],
  limit: number,
): Promise<(readonly Found<Key>[])[]> {
  if (ranges.length === 0) return [];
  const parts = ranges.map((range, number) => rangeSql(search, range, number, limit));
  const rows = await db.query<Record<string, KeyPart> & { range_: number; hit: number | null }>(
    parts.map(({ sql }) => sql).join(' UNION ALL '),
    parts.flatMap(({ values }) => values),
  );
  const byRange = Map.groupBy(rows, ({ range_ }) => Number(range_));
  return ranges.map((_, number) =>
    (byRange.get(number) ?? []).map((row) => ({
      key: keyOf<Key>(row, search.key.length),
      hit: Number(row.hit) === 1,
    })),
  );
}

/** `found`: at most `limit` rows of each range. */
function merged<Key extends readonly KeyPart[]>(
  { order, take }: Pick<RangeSearch, 'order' | 'take'>,
  byRange: readonly (readonly Found<Key>[])[],
  limit: number,
): FoundRows<Key> {
  const found = byRange.flat();
  let lookedTo: Key | undefined;
  for (const rows of byRange) {
    const end = rows.length < limit ? undefined : rows.at(-1)?.key;
    if (end !== undefined && (lookedTo === undefined || compare(end, lookedTo, order) < 0)) lookedTo = end;
  }
  const isCertain = (each: Key) => lookedTo === undefined || compare(each, lookedTo, order) <= 0;
  const keys = found
    .filter((each) => each.hit && isCertain(each.key))
    .map((each) => each.key)
    .sort((one, other) => compare(one, other, order));
  return { keys: keys.slice(0, take), lookedTo: keys.length >= take ? undefined : lookedTo };
}

/** Undefined when none is given. */
export function allOf(conditions: readonly (Condition | undefined)[]): Condition | undefined {
  const given = conditions.filter((condition) => condition !== undefined);
  if (given.length === 0) return undefined;
  return { sql: given.map(({ sql }) => sql).join(' AND '), values: given.flatMap(({ values }) => values) };
}

/** One condition for each project, so that rows of others are neither read nor counted. */
export function inEachProject(
  projects: 'all' | readonly string[],
  condition: Condition | undefined,
): readonly Condition[] {
  if (projects === 'all') return [condition ?? always];
  return projects.map((project) => allOf([is('project_id', project), condition]) ?? always);
}

/** No row matches when none is given. */
export function anyOf(conditions: readonly Condition[]): Condition {
  if (conditions.length === 0) return { sql: '1 = 0', values: [] };
  return {
    sql: `(${conditions.map(({ sql }) => sql).join(' OR ')})`,
    values: conditions.flatMap(({ values }) => values),
  };
}

/** Condition: the column has this value. Returns undefined if `value` is undefined, which means any value. */
export function is(column: string, value: SqlValue | undefined): Condition | undefined {
  return value === undefined ? undefined : { sql: `${column} = ?`, values: [value] };
}

/** Condition: the column has one of these values. Returns undefined if `values` is undefined, which means any value. */
export function isOneOf(column: string, values: readonly SqlValue[] | undefined): Condition | undefined {
  if (values === undefined) return undefined;
  if (values.length === 0) return { sql: '1 = 0', values: [] };
  return { sql: `${column} IN (${marksFor(values)})`, values };
}

function rangeSql(search: Omit<RangeSearch, 'ranges'>, range: IndexRange, number: number, limit: number): Condition {
  const { table, key, order, rest = always, after } = search;
  const where = allOf([range.condition, after === undefined ? undefined : beyond(key, order, after)]) ?? always;
  const columns = key.map((column, at) => `${column} AS key${at}`).join(', ');
  const by = key.map((column) => `${column} ${order}`).join(', ');
  return {
    sql: `(SELECT ${number} AS range_, ${columns}, (${rest.sql}) AS hit FROM ${table} FORCE INDEX (${range.index})
      WHERE ${where.sql} ORDER BY ${by} LIMIT ${limit})`,
    values: [...rest.values, ...where.values],
  };
}

/** Rows after the one with this key. The first comparison bounds the range of the index. */
function beyond(key: readonly string[], order: 'ASC' | 'DESC', after: readonly KeyPart[]): Condition {
  const sign = order === 'ASC' ? '>' : '<';
  const [column, ...columns] = key;
  const [value = '', ...values] = after;
  if (columns.length === 0) return { sql: `${column} ${sign} ?`, values: [value] };
  const next = beyond(columns, order, values);
  return {
    sql: `${column} ${sign}= ? AND (${column} ${sign} ? OR (${next.sql}))`,
    values: [value, value, ...next.values],
  };
}

/** Times are texts in UTC, as SQL compares them. */
function keyOf<Key extends readonly KeyPart[]>(row: Record<string, KeyPart | Date>, length: number): Key {
  const parts = Array.from({ length }, (_, at) => row[`key${at}`]);
  return parts.map((part) => (part instanceof Date ? part.toISOString().slice(0, -1) : part)) as unknown as Key;
}

function compare(one: readonly KeyPart[], other: readonly KeyPart[], order: 'ASC' | 'DESC'): number {
  for (const [at, part] of one.entries()) {
    const against = other[at] ?? '';
    if (part !== against) return part < against === (order === 'ASC') ? -1 : 1;
  }
  return 0;
}
