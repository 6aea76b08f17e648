// Reads a connection of many objects in as few requests as the graph's limits allow: twenty objects per request, a page of each.
import { allAtOnce, chunks } from './at-once.ts';
import { type GraphClient, untyped } from './graph-client.ts';
import type { Connection } from './pages.ts';

interface ManyPages {
  /** The type of the objects, and its field with the connection. */
  readonly of: string;
  readonly field: string;
  /** Fields to read of a node. */
  readonly selection: string;
  /** Definitions of the fragments in it. */
  readonly fragments?: string;
}

type Answer<Node> = Readonly<Record<string, Readonly<Record<string, Connection<Node> | undefined>> | null>>;

/** The gateway's default limits, with a margin (docs/security.md). */
const mostRootFields = 20;
const mostAliases = 30;
const mostTokens = 3_000;
const mostCost = 40_000;
const largestPage = 100;
/** Same limit as for one connection (pages.ts). */
const mostRounds = 1_000;

interface Open {
  readonly id: string;
  readonly after: string | null;
}

/** Nodes by id. An object that is gone has none. */
export async function readManyPages<Node>(
  client: GraphClient,
  ids: Iterable<string>,
  many: ManyPages,
): Promise<ReadonlyMap<string, readonly Node[]>> {
  const found = new Map<string, Node[]>(Array.from(ids, (id) => [id, []]));
  const width = widthOf(many);
  let open: readonly Open[] = Array.from(found.keys(), (id) => ({ id, after: null }));
  for (let round = 0; open.length > 0 && round < mostRounds; round += 1) {
    const left = await allAtOnce(chunks(open, width), async (some) => {
      const answer = await client.query(untyped<Answer<Node>>(documentOf(many, some.length)), variablesOf(many, some));
      return some.flatMap(({ id }, at): Open[] => {
        const page = answer[`o${at}`]?.[many.field];
        if (page === undefined) return [];
        found.get(id)?.push(...page.nodes);
        return page.pageInfo.hasNextPage ? [{ id, after: page.pageInfo.endCursor }] : [];
      });
    });
    open = left.flat();
  }
  return found;
}

/** Number of objects per request. */
function widthOf({ selection, fragments = '' }: ManyPages): number {
  const aliases = selection.match(/\w+\s*:/g)?.length ?? 0;
  const tokens = 30 + wordsIn(selection);
  const most = Math.min(
    Math.floor(mostAliases / (1 + aliases)),
    Math.floor((mostTokens - wordsIn(fragments)) / tokens),
  );
  return Math.max(1, Math.min(mostRootFields, most));
}

function wordsIn(text: string): number {
  return text.match(/[\w.]+|[{}():$!]/g)?.length ?? 0;
}

function documentOf({ of, field, selection, fragments = '' }: ManyPages, count: number): string {
  const each = Array.from({ length: count }, (_, at) => at);
  const declared = each.map((at) => `$id${at}: ID!, $after${at}: String`).join(', ');
  const fields = each.map(
    (at) => `o${at}: node(id: $id${at}) { ... on ${of} {
      ${field}(first: $first, after: $after${at}) { nodes { ${selection} } pageInfo { hasNextPage endCursor } }
    } }`,
  );
  return `query ManyPages($first: Int, ${declared}) { ${fields.join('\n')} }\n${fragments}`;
}

/** The fewer objects, the larger their pages. */
function variablesOf(
  { selection, fragments = '' }: ManyPages,
  some: readonly Open[],
): Readonly<Record<string, unknown>> {
  // A word may be a field, which counts, or a type, which does not.
  const costOfRow = 1 + (`${selection} ${fragments}`.match(/\w+/g)?.length ?? 0);
  const first = Math.max(1, Math.min(largestPage, Math.floor(mostCost / (some.length * costOfRow))));
  const own = some.flatMap(({ id, after }, at) => [
    [`id${at}`, id],
    [`after${at}`, after],
  ]);
  return { first, ...Object.fromEntries(own) };
}
