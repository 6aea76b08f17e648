// Keyset pagination, the same for every connection: a page is requested by size and by the key of the last item seen, so that
// pages do not shift while rows are added and removed.
import { CodedError } from '../errors.ts';

/** The largest page. */
export const maxPageSize = 100;

/** The default page size: the default of every `first` in the SDL, checked by the lint. */
export const defaultPageSize = 20;

export interface PageArguments {
  readonly first?: number | null;
  readonly after?: string | null;
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

export interface Page<Row> {
  readonly nodes: readonly Row[];
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
}

/** Reads `first` and `after`. `keyLength` is the number of texts in a key. Throws INVALID_INPUT. */
export function pageRequest(args: PageArguments, keyLength = 1): PageRequest {
  const first = args.first ?? defaultPageSize;
  if (!Number.isInteger(first) || first < 1 || first > maxPageSize)
    throw new CodedError('INVALID_INPUT', `first: ${first} is out of range; give 1 to ${maxPageSize}.`);
  const after = args.after == null ? undefined : decodeKey(args.after);
  if (after !== undefined && after.length !== keyLength)
    throw new CodedError(
      'INVALID_INPUT',
      'after: this is not an endCursor of this connection; omit it for the first page.',
    );
  return { first, take: first + 1, after };
}

/**
 * Makes a page from up to `first` + 1 rows. `lookedTo`: a search with a bound ended there, so that more may follow although there
 * are fewer rows.
 */
export function page<Row>(
  rows: readonly Row[],
  first: number,
  keyOf: (row: Row) => readonly string[],
  lookedTo?: Row,
): Page<Row> {
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
