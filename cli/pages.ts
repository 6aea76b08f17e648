// Reads a connection of the graph page by page.
import type { GraphClient, GraphqlDocument } from './graph-client.ts';

export interface Connection<Node> {
  readonly nodes: readonly Node[];
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
}

interface PageVariables {
  readonly first?: number | null | undefined;
  readonly after?: string | null | undefined;
}

const pageSize = 100;
const maxPages = 1_000;

/**
 * `connectionIn`: the connection in an answer. Null or undefined if there is nothing to read. Reads at most `limit` nodes in pages of `ofPage`. Use
 * small pages if each node is large (docs/graph.md, cost).
 */
export async function* readPages<Data, Variables extends PageVariables, Node>(
  client: GraphClient,
  document: GraphqlDocument<Data, Variables>,
  variables: Omit<Variables, keyof PageVariables>,
  connectionIn: (data: Data) => Connection<Node> | null | undefined,
  limit: number = Number.POSITIVE_INFINITY,
  ofPage: number = pageSize,
): AsyncGenerator<Node> {
  let after: string | null = null;
  let left = limit;
  for (let page = 0; page < maxPages && left > 0; page += 1) {
    const first = Math.min(ofPage, left);
    const connection = connectionIn(
      await client.query(document, { ...variables, first, after } as unknown as Variables),
    );
    if (connection === null || connection === undefined) return;
    yield* connection.nodes;
    left -= connection.nodes.length;
    after = connection.pageInfo.endCursor;
    if (!connection.pageInfo.hasNextPage) return;
  }
}

/** All nodes at once. */
export async function readAll<Node>(pages: AsyncIterable<Node>): Promise<Node[]> {
  const all: Node[] = [];
  for await (const node of pages) all.push(node);
  return all;
}
