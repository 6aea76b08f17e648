// Reads a connection of the graph page by page.
import type { GraphClient } from './graph-client.ts';

interface Page<Node> {
  readonly nodes: readonly Node[];
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
}

const pageSize = 100;
const maxPages = 1_000;

/** `document` takes `$first` and `$after`, and has one root field that is a connection. At most `limit` nodes. */
export async function* readPages<Node>(
  client: GraphClient,
  document: string,
  variables: object,
  limit: number = Number.POSITIVE_INFINITY,
): AsyncGenerator<Node> {
  let after: string | null = null;
  let left = limit;
  for (let page = 0; page < maxPages && left > 0; page += 1) {
    const first = Math.min(pageSize, left);
    const data: Record<string, Page<Node>> = await client.query(document, { ...variables, first, after });
    const [connection] = Object.values(data);
    if (connection === undefined) return;
    yield* connection.nodes;
    left -= connection.nodes.length;
    after = connection.pageInfo.endCursor;
    if (!connection.pageInfo.hasNextPage || connection.nodes.length === 0) return;
  }
}
