// Batching for connections below the items of a list: parents whose page is requested in the same turn, with the same arguments, are read
// together.
import type { RequestContext } from '../caller/identity.ts';
import {
  type Count,
  noItems,
  onlyCounted,
  type Page,
  type PageArguments,
  type PageItems,
  type PageRequest,
  pageRequest,
} from './connection.ts';
import { loader } from './loader.ts';

type ReadPages<Row> = (
  parents: readonly string[],
  request: PageRequest,
) => Promise<ReadonlyMap<string, PageItems<Row>>>;

/** How many items each parent has; see `countsOfParents`. */
type ReadCounts = (parents: readonly string[]) => Promise<ReadonlyMap<string, number | null>>;

/** Counts the items of a parent together with those of other parents that are asked for in the same turn. `owner`: as of `pageOf`. */
export function countOf(context: RequestContext, owner: symbol, parent: string, read: ReadCounts): Count {
  return async () => (await loader(context, countOwner(owner), parent, read)) ?? null;
}

/** The owner of a connection's pages and counts with these values of its own arguments, which must be few. */
export function ownerOf(connection: symbol, values: string): symbol {
  const known = ownersOf.get(connection) ?? new Map<string, symbol>();
  ownersOf.set(connection, known);
  const owner = known.get(values) ?? Symbol(`${connection.description} ${values}`);
  known.set(values, owner);
  return owner;
}

const ownersOf = new Map<symbol, Map<string, symbol>>();

const countOwners = new Map<symbol, symbol>();

function countOwner(owner: symbol): symbol {
  const known = countOwners.get(owner) ?? Symbol(`count of ${owner.description}`);
  countOwners.set(owner, known);
  return known;
}

/** Parents missing in the answer of `read` have no items. `owner`: a symbol of the calling module, one for each connection and each set of its own arguments. Throws INVALID_INPUT. */
export async function pageOf<Row>(
  context: RequestContext,
  owner: symbol,
  parent: string,
  args: PageArguments,
  read: ReadPages<Row>,
  counts: ReadCounts,
  /** Texts in a key. */
  keyLength = 1,
): Promise<Page<Row>> {
  const request = pageRequest(args, keyLength);
  const count = countOf(context, owner, parent, counts);
  if (args[onlyCounted] === true) return { ...noItems, count };
  const keyOf = (of: string) => JSON.stringify([request.first, args.after ?? null, of]);
  const found = await loader(context, owner, keyOf(parent), async (keys) => {
    const asked = keys.map((key) => {
      const [first, after, of] = JSON.parse(key) as [number, string | null, string];
      return { key, first, after, of };
    });
    const pages = new Map<string, PageItems<Row>>();
    for (const same of Map.groupBy(asked, ({ first, after }) => JSON.stringify([first, after])).values()) {
      const [{ first, after } = { first: request.first, after: null }] = same;
      const own = await read(
        same.map(({ of }) => of),
        pageRequest({ first, after }, keyLength),
      );
      for (const { key, of } of same) pages.set(key, own.get(of) ?? noItems);
    }
    return pages;
  });
  return { ...(found ?? noItems), count };
}
