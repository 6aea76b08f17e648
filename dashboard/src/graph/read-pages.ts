// Reads a connection page by page, up to a maximum of pages or items.

export interface Page<Node> {
  readonly nodes: readonly Node[];
  readonly pageInfo: PageInfo;
}

export interface PageInfo {
  readonly hasNextPage: boolean;
  readonly endCursor: string | null;
}

/** In the result, `hasNextPage` means that there is more than was read. */
export async function readPages<Node>(
  maxPages: number,
  after: string | null,
  readPage: (after: string | null) => Promise<Page<Node>>,
  enough: number = Number.POSITIVE_INFINITY,
): Promise<Page<Node>> {
  const nodes: Node[] = [];
  let pageInfo: PageInfo = { hasNextPage: true, endCursor: after };
  for (let page = 0; page < maxPages && pageInfo.hasNextPage && nodes.length < enough; page += 1) {
    const next = await readPage(pageInfo.endCursor);
    nodes.push(...next.nodes);
    pageInfo = next.pageInfo;
  }
  return { nodes, pageInfo };
}
