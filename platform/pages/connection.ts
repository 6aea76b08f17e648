// Keyset pagination, the same for every connection: a page is requested by size and by the key of the last item seen, so that
// pages do not shift while rows are added and removed.
import type { FoundRows, KeyPart } from '../database/range-search.ts';
import { CodedError } from '../errors/errors.ts';

/** The largest page. */
const maxPageSize = 100;

/** The default page size: the default of every `first` in the SDL, checked by the lint. */
export const defaultPageSize = 20;

/** True in the arguments of a connection of which only `totalCount` is asked for (page-counts.ts): whoever counts without a page need read none. */
export const onlyCounted = Symbol('only counted');

export interface PageArguments {
  readonly first?: number | null;
  readonly after?: string | null;
  readonly [onlyCounted]?: true;
}

/** A store's input for reading one page. */
export interface PageRequest {
  /** Items wanted. */
  readonly first: number;
  /** Rows to read: one more than `first`, which shows whether another page follows. */
  readonly take: number;
  /** Key of the last item of the page before; undefined for the first page. */
  readonly after: readonly string[] | undefined;
}

/** Of things in order of time, by name, or by the time of their expiry. Names are compared byte by byte. */
export type ListOrder = 'OLDEST' | 'NEWEST' | 'NAME' | 'NAME_DESC' | 'EXPIRY';

/** Items of all pages; null when too many would have to be counted. Called only when a client asks for `totalCount`. */
export type Count = () => Promise<number | null>;

/** A page without its count, as batches read it. */
export interface PageItems<Row> {
  readonly nodes: readonly Row[];
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
}

/** A connection whose `totalCount` can be read. The generated resolver types demand it of each connection. */
export type Counted<Connection> = Connection & { readonly count: Count };

export type Page<Row> = Counted<PageItems<Row>>;

/** Reads `first` and `after`. `keyLength` is the number of texts in a key. Throws INVALID_INPUT. */
export function pageRequest(args: PageArguments, keyLength = 1): PageRequest {
  const first = args.first ?? defaultPageSize;
  if (!Number.isInteger(first) || first < 1 || first > maxPageSize)
    throw new CodedError('INVALID_INPUT', `first: ${first} is out of range; give 1 to ${maxPageSize}.`);
  const after = args.after == null ? undefined : decodeKey(args.after);
  if (after !== undefined && after.length !== keyLength) refuseCursor();
  return { first, take: first + 1, after };
}

/** Like `pageRequest`, of a list with an order, which its cursors begin with: one of another order is refused. */
export function orderedRequest(args: PageArguments, orderBy: ListOrder, keyLength = 1): PageRequest {
  const { after, ...request } = pageRequest(args, keyLength + 1);
  if (after !== undefined && after[0] !== orderBy)
    throw new CodedError('INVALID_INPUT', 'after: this endCursor is of another order; omit it for the first page.');
  return { ...request, after: after?.slice(1) };
}

/** Refuses an `after` whose key has the wrong form. */
export function refuseCursor(): never {
  throw new CodedError(
    'INVALID_INPUT',
    'after: this is not an endCursor of this connection; omit it for the first page.',
  );
}

export const noItems: PageItems<never> = { nodes: [], pageInfo: { hasNextPage: false, endCursor: null } };

/** The page of a list without items. Throws INVALID_INPUT for arguments that `pageRequest` refuses. */
export function emptyPage(args: PageArguments, keyLength = 1): Page<never> {
  pageRequest(args, keyLength);
  return { ...noItems, count: async () => 0 };
}

/**
 * Makes a page from up to `first` + 1 rows. `lookedTo`: a search with a bound ended there, so that more may follow although there
 * are fewer rows.
 */
export function pageItems<Row>(
  rows: readonly Row[],
  first: number,
  keyOf: (row: Row) => readonly string[],
  lookedTo?: Row,
): PageItems<Row> {
  const nodes = rows.slice(0, first);
  const isFull = rows.length > first;
  const last = isFull ? nodes.at(-1) : (lookedTo ?? nodes.at(-1));
  return {
    nodes,
    pageInfo: {
      hasNextPage: isFull || lookedTo !== undefined,
      endCursor: last === undefined ? null : encodeKey(keyOf(last)),
    },
  };
}

/**
 * Makes a page from a search with a bound. `rowOf` gives the row of a key, or undefined if it has gone in the meantime. The page
 * may have fewer rows than `first`, or none, although more follow.
 */
export function searchedItems<Row, Key extends readonly KeyPart[]>(
  { keys, lookedTo }: FoundRows<Key>,
  first: number,
  rowOf: (key: Key) => Row | undefined,
  /** In front of the key, so that a cursor of another order is refused. */
  order?: ListOrder,
): PageItems<Row> {
  const isFull = keys.length > first;
  const shown = keys.slice(0, first);
  const last = isFull ? shown.at(-1) : (lookedTo ?? shown.at(-1));
  return {
    nodes: shown.map(rowOf).filter((row) => row !== undefined),
    pageInfo: {
      hasNextPage: isFull || lookedTo !== undefined,
      endCursor: last === undefined ? null : encodeKey([...(order === undefined ? [] : [order]), ...last.map(String)]),
    },
  };
}

function encodeKey(key: readonly string[]): string {
  return JSON.stringify(key);
}

function decodeKey(text: string): readonly string[] {
  if (text.length > 1024) return [];
  try {
    const key: unknown = JSON.parse(text);
    return Array.isArray(key) && key.every((part) => typeof part === 'string') ? key : [];
  } catch {
    return [];
  }
}
