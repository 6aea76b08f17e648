// Reads a connection of the graph page by page.
import type { GraphClient } from './graph-client.ts';

interface Page<Node> {
  readonly nodes: readonly Node[];
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
}

const pageSize = 100;
const maxPages = 1_000;

/**
 * `document` takes `$first` and `$after`, and has one root field that is a connection, or an object (null: no nodes) whose one
 * field is. At most `limit` nodes.
 */
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
    const data: object = await client.query(document, { ...variables, first, after });
    const connection = connectionIn<Node>(data) ?? connectionIn<Node>(Object.values(data)[0]);
    if (connection === undefined) return;
    yield* connection.nodes;
    left -= connection.nodes.length;
    after = connection.pageInfo.endCursor;
    if (!connection.pageInfo.hasNextPage || connection.nodes.length === 0) return;
  }
}

function connectionIn<Node>(parent: unknown): Page<Node> | undefined {
  const [field] = Object.values(parent ?? {}) as unknown[];
  return typeof field === 'object' && field !== null && 'pageInfo' in field ? (field as Page<Node>) : undefined;
}
