// The first rows of several parents' lists by one statement, whose number does not depend on the number of parents.
import { always, type Condition, type Sql, type SqlValue } from './database.ts';
import { allOf, mostCounted } from './range-search.ts';

interface ParentRows {
  /** What is selected, as in SQL. It includes `key`. */
  readonly columns: string;
  readonly table: string;
  readonly index: string;
  /** The column of the order; unique in a list. */
  readonly key: string;
  readonly order: 'ASC' | 'DESC';
  /** The ranges of the index that have a parent's rows, each in the order of the list. */
  readonly ranges: (parent: string) => readonly Condition[];
  /** The key of the last row of the previous page. */
  readonly after?: string | undefined;
  /** Most rows of each range. */
  readonly take: number;
}

/** By parent, in order within each range. Parents without rows are missing. */
export async function rowsOfParents<Row extends object>(
  db: Sql,
  parents: readonly string[],
  { columns, table, index, key, order, ranges, after, take }: ParentRows,
): Promise<ReadonlyMap<string, Row[]>> {
  const beyond = after === undefined ? undefined : { sql: `${key} ${order === 'ASC' ? '>' : '<'} ?`, values: [after] };
  const parts = parents.flatMap((parent, number) =>
    ranges(parent).map((range) => {
      const where = allOf([range, beyond]) ?? always;
      return {
        sql: `(SELECT ${number} AS parent_, ${columns} FROM ${table} FORCE INDEX (${index}) WHERE ${where.sql}
          ORDER BY ${key} ${order} LIMIT ${take})`,
        values: where.values as readonly SqlValue[],
      };
    }),
  );
  if (parts.length === 0) return new Map();
  const rows = await db.query<Row & { readonly parent_: number }>(
    parts.map(({ sql }) => sql).join(' UNION ALL '),
    parts.flatMap(({ values }) => values),
  );
  const byParent = Map.groupBy(rows, ({ parent_ }) => parents[Number(parent_)] ?? '');
  return new Map([...byParent].map(([parent, own]) => [parent, own.map(({ parent_: _, ...row }) => row as Row)]));
}

/** How many rows each parent has, by one statement. Null where more than `mostCounted` rows of its ranges would have to be read. */
export async function countsOfParents(
  db: Sql,
  parents: readonly string[],
  {
    table,
    index,
    ranges,
    rest = always,
  }: Pick<ParentRows, 'table' | 'index' | 'ranges'> & {
    /** A further condition on the rows, which no index serves. */
    readonly rest?: Condition | undefined;
  },
): Promise<ReadonlyMap<string, number | null>> {
  const parts = parents.flatMap((parent, number) =>
    ranges(parent).map(({ sql, values }) => ({
      sql: `(SELECT ${number} AS parent_, COUNT(*) AS seen_, SUM(hit) AS hits_ FROM
        (SELECT (${rest.sql}) AS hit FROM ${table} FORCE INDEX (${index}) WHERE ${sql} LIMIT ${mostCounted + 1}) counted)`,
      values: [...rest.values, ...values] as readonly SqlValue[],
    })),
  );
  const read = new Map(parents.map((parent) => [parent, { seen: 0, hits: 0 }]));
  const rows =
    parts.length === 0
      ? []
      : await db.query<{ parent_: number; seen_: number | bigint; hits_: number | string | null }>(
          parts.map(({ sql }) => sql).join(' UNION ALL '),
          parts.flatMap(({ values }) => values),
        );
  for (const { parent_, seen_, hits_ } of rows) {
    const own = read.get(parents[Number(parent_)] ?? '');
    if (own === undefined) continue;
    own.seen += Number(seen_);
    own.hits += Number(hits_ ?? 0);
  }
  return new Map([...read].map(([parent, { seen, hits }]) => [parent, seen > mostCounted ? null : hits]));
}
