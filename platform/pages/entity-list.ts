// Root lists of things: their orders, their filter by name, and their count, with the index that carries each.
import { always, type Condition, type Sql, type SqlValue } from '../database/database.ts';
import {
  allOf,
  anyOf,
  countRanges,
  type IndexRange,
  is,
  isOneOf,
  type KeyPart,
  type RangeSearch,
  searchRanges,
} from '../database/range-search.ts';
import { CodedError } from '../errors/errors.ts';
import {
  type ListOrder,
  noItems,
  onlyCounted,
  orderedRequest,
  type Page,
  type PageArguments,
  refuseCursor,
  searchedItems,
} from './connection.ts';

/** Names of indexes whose rows are in the order of the key; below a project, if they begin with its column. */
interface OrderIndexes {
  /** By `id`. */
  readonly time: string;
  /** By name and `id`. */
  readonly name?: string;
  /** Of one operating status, by `id`. */
  readonly status?: string;
  /** By the time of expiry and `id`. */
  readonly expiry?: string;
}

type Served = keyof OrderIndexes;

export interface ListTable {
  readonly table: string;
  /** The column of the name; null in rows that no list shows (`live_name`). Absent: its things have no names. */
  readonly name?: string;
  /** Increases with time. Default: `id`. */
  readonly id?: string;
  /** The id is a number. */
  readonly numeric?: true;
  /** Which rows a list in order of time shows, served by its indexes. Default: those without `deleted_at`. */
  readonly shown?: Condition;
  /** The column of the project. Default: `project_id`. */
  readonly project?: string;
  /** The column of the time of expiry. Absent: its things do not expire. */
  readonly expiry?: string;
  /** The operating status of rows that have none yet. */
  readonly noStatus?: string;
  readonly all: OrderIndexes;
  /** Absent: the things belong to no project. */
  readonly ofProject?: OrderIndexes;
}

export interface ListFilter extends PageArguments {
  readonly orderBy: ListOrder;
  /** UUIDs. */
  readonly projects: 'all' | readonly string[];
  /** Exactly one of these names. */
  readonly names?: readonly string[] | null | undefined;
  /** A part of the name, upper or lower case. */
  readonly text?: string | null | undefined;
  /** In one of these states, by the column `operating_status`. */
  readonly operatingStatuses?: readonly string[] | null | undefined;
  /** Expired before this time. */
  readonly expiresBefore?: Date | null | undefined;
  /** Conditions that the indexes serve. */
  readonly within?: Condition | undefined;
  /** Further conditions, checked on a bounded number of rows for each page. */
  readonly rest?: Condition | undefined;
  /** Rows on which `rest` is checked; see RangeSearch. */
  readonly mostLookedAt?: number;
}

const undeleted: Condition = { sql: 'deleted_at IS NULL', values: [] };
const mostNames = 100;
const longestText = 255;

/** `read` reads rows by id. A row that is missing in its answer has gone in the meantime. Throws INVALID_INPUT. */
export async function pageOfList<Row>(
  db: Sql,
  list: ListTable,
  filter: ListFilter,
  read: (ids: readonly string[]) => Promise<ReadonlyMap<string, Row>>,
): Promise<Page<Row>> {
  const { orderBy, mostLookedAt, names } = filter;
  const { table, id = 'id' } = list;
  if (names != null) refuseManyNames(names);
  const search: OrderedSearch = {
    ...{ table, key: [...keyBefore(list, orderBy), id], numeric: list.numeric === true },
    ...foundBy(list, filter, servedBy(list, filter)),
    ...(mostLookedAt === undefined ? {} : { mostLookedAt }),
  };
  const counted = { table, ...foundBy(list, filter, countedBy(list, filter)) };
  return { ...(await pageOfRanges(db, search, filter, read)), count: () => countRanges(db, counted) };
}

export interface OrderedSearch extends Omit<RangeSearch, 'order' | 'take' | 'after'> {
  /** The last column of the key, which is the id, is a number. Default: no. */
  readonly numeric?: boolean;
}

/** A page of ranges that are not those of a ListTable. `read`: as of `pageOfList`. Throws INVALID_INPUT. */
export async function pageOfRanges<Row>(
  db: Sql,
  search: OrderedSearch,
  { orderBy, ...page }: PageArguments & { readonly orderBy: ListOrder },
  read: (ids: readonly string[]) => Promise<ReadonlyMap<string, Row>>,
): Promise<Page<Row>> {
  const { first, take, after } = orderedRequest(page, orderBy, search.key.length);
  const order = orderBy === 'NEWEST' || orderBy === 'NAME_DESC' ? 'DESC' : 'ASC';
  if (orderBy === 'EXPIRY' && after !== undefined && !isTime(after[0])) refuseCursor();
  const from = after?.map((part, at) => (search.numeric && at === after.length - 1 ? wholeNumber(part) : part));
  if (page[onlyCounted] === true) return { ...noItems, count: () => countRanges(db, search) };
  const found = await searchRanges<readonly KeyPart[]>(db, { ...search, order, take, after: from });
  const idOf = (each: readonly KeyPart[]) => String(each.at(-1));
  const ids = found.keys.slice(0, first).map(idOf);
  const rows = ids.length === 0 ? new Map<string, Row>() : await read(ids);
  const items = searchedItems(found, first, (each) => rows.get(idOf(each)), orderBy);
  return { ...items, count: () => countRanges(db, search) };
}

/** Of a key: see `keyOf` in range-search.ts. */
export function isTime(text: string | undefined): boolean {
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}$/.test(text ?? '') && !Number.isNaN(Date.parse(`${text}Z`));
}

function wholeNumber(text: string): number {
  const number = Number(text);
  return /^\d{1,16}$/.test(text) && Number.isSafeInteger(number) ? number : refuseCursor();
}

/** The columns by which a list is in this order, before its `id`. */
function keyBefore(list: ListTable, orderBy: ListOrder): readonly string[] {
  if (isByName(orderBy)) return [nameOf(list)];
  return orderBy === 'EXPIRY' ? [expiryOf(list)] : [];
}

/** The rows of a list as one of its indexes finds them. */
function foundBy(
  list: ListTable,
  filter: ListFilter,
  served: Served,
): { readonly ranges: readonly IndexRange[]; readonly rest: Condition | undefined } {
  return { ranges: rangesOf(list, filter, served), rest: restOf(list, filter, served) };
}

function rangesOf(list: ListTable, filter: ListFilter, served: Served): readonly IndexRange[] {
  const { orderBy, projects, within, names, operatingStatuses, expiresBefore } = filter;
  const index = indexesOf(list, filter)[served];
  if (index === undefined) throw new Error(`${list.table}: no index has the order ${orderBy}`);
  const shown = list.shown ?? undeleted;
  const parts: readonly (Condition | undefined)[] = {
    // The rows of one name are in order of time, too.
    name: () =>
      isByName(orderBy) || names == null
        ? [
            allOf([
              { sql: `${nameOf(list)} IS NOT NULL`, values: [] },
              names == null ? undefined : namedAs(list, names),
            ]),
          ]
        : [...new Set(names)].map((name) => is(nameOf(list), name)),
    status: () =>
      [...new Set(operatingStatuses)].flatMap((each) => inStatus(list, each).map((one) => allOf([shown, one]))),
    expiry: () => [allOf([shown, expiresBefore == null ? undefined : expiringBefore(list, expiresBefore)])],
    time: () => [shown],
  }[served]();
  const condition = (part: Condition | undefined, project?: SqlValue) =>
    allOf([is(list.project ?? 'project_id', project), part, within]) ?? always;
  if (projects === 'all') return parts.map((part) => ({ index, condition: condition(part) }));
  return projects.flatMap((project) => parts.map((part) => ({ index, condition: condition(part, project) })));
}

function restOf(list: ListTable, filter: ListFilter, served: Served): Condition | undefined {
  const { names, text, operatingStatuses, expiresBefore, rest } = filter;
  const statuses = [...new Set(operatingStatuses)].flatMap((each) => inStatus(list, each));
  return allOf([
    served === 'name' || names == null ? undefined : namedAs(list, names),
    served === 'status' || operatingStatuses == null ? undefined : anyOf(statuses),
    served === 'expiry' || expiresBefore == null ? undefined : expiringBefore(list, expiresBefore),
    text == null ? undefined : containing(nameOf(list), 'text', text),
    rest,
  ]);
}

/** Which index finds a page. In an order of time, one range for each name or state does. */
function servedBy(list: ListTable, filter: ListFilter): Served {
  const { orderBy, names, operatingStatuses } = filter;
  const indexes = indexesOf(list, filter);
  if (isByName(orderBy)) return 'name';
  if (orderBy === 'EXPIRY') return 'expiry';
  if (names != null && indexes.name !== undefined) return 'name';
  return operatingStatuses != null && indexes.status !== undefined ? 'status' : 'time';
}

/** Which index counts. A count has no order: the index that has the columns of the filter reads no rows of the table. */
function countedBy(list: ListTable, filter: ListFilter): Served {
  const { names, text, operatingStatuses, expiresBefore, within } = filter;
  const { name, status, expiry } = indexesOf(list, filter);
  if (within !== undefined) return servedBy(list, filter);
  if (names != null && name !== undefined) return 'name';
  if (operatingStatuses != null && status !== undefined) return 'status';
  if (expiresBefore != null && expiry !== undefined) return 'expiry';
  return text != null && name !== undefined ? 'name' : servedBy(list, filter);
}

const isByName = (orderBy: ListOrder): boolean => orderBy === 'NAME' || orderBy === 'NAME_DESC';

function inStatus({ noStatus }: ListTable, status: string): readonly Condition[] {
  const has = { sql: 'operating_status = ?', values: [status] };
  return status === noStatus ? [has, { sql: 'operating_status IS NULL', values: [] }] : [has];
}

function expiringBefore(list: ListTable, time: Date): Condition {
  return { sql: `${expiryOf(list)} < ?`, values: [time] };
}

function indexesOf(list: ListTable, { projects }: ListFilter): OrderIndexes {
  const indexes = projects === 'all' ? list.all : list.ofProject;
  if (indexes === undefined) throw new Error(`${list.table}: its rows belong to no project`);
  return indexes;
}

/** Throws INVALID_INPUT. */
export function refuseManyNames(names: readonly string[]): void {
  if (names.length > mostNames)
    throw new CodedError('INVALID_INPUT', `names: ${names.length} are too many; give at most ${mostNames}.`);
}

function namedAs(list: ListTable, names: readonly string[]): Condition | undefined {
  return isOneOf(nameOf(list), names);
}

/** `argument` is for the message. Throws INVALID_INPUT. */
export function refuseLongText(text: string, argument = 'text', longest = longestText): void {
  if (text.length > longest)
    throw new CodedError('INVALID_INPUT', `${argument}: it is too long; give at most ${longest} characters.`);
}

/** The column contains the text, in upper or lower case. `argument` is for the message. Throws INVALID_INPUT. */
export function containing(column: string, argument: string, text: string, longest = longestText): Condition {
  refuseLongText(text, argument, longest);
  const pattern = `%${text.replaceAll(/[\\%_]/g, '\\$&')}%`;
  return { sql: `LOWER(${column}) LIKE LOWER(?)`, values: [pattern] };
}

function nameOf({ table, name }: ListTable): string {
  if (name === undefined) throw new Error(`${table}: its rows have no names`);
  return name;
}

function expiryOf({ table, expiry }: ListTable): string {
  if (expiry === undefined) throw new Error(`${table}: its rows do not expire`);
  return expiry;
}
