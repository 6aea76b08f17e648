// Reads what the live state begins with, page by page and bounded. The cursor is read first: a change that happens while the
// lists are read comes again by subscription, and versions settle which copy is newer.
import { backendsQuery, driftQuery, historyQuery, operationsQuery, startQuery } from '../graph/documents.ts';
import type { Requester } from '../graph/request.ts';
import type { Backend, Mapping, Operation, OperationState, Page, StatusChange, Viewer } from '../graph/types.ts';
import { driftResults } from './drift.ts';
import type { Snapshot } from './live-state.ts';

const maxBackendPages = 10;
const firstOperationPages = 2;
const maxDriftPages = 3;
const unsettled: readonly OperationState[] = ['UNKNOWN'];
const underWay: readonly OperationState[] = ['PENDING', 'SENT', 'ACCEPTED'];

export interface OperationFilter {
  readonly projectId?: string | null;
  readonly backendId?: string | null;
  readonly states?: readonly OperationState[];
}

export async function readSnapshot(requester: Requester): Promise<Snapshot> {
  const start = await requester.request<{ statusCursor: string; me: Viewer }>(startQuery);
  const [backends, newest, unknown, open, drift, history] = await Promise.all([
    readBackends(requester),
    readOperations(requester, {}, firstOperationPages),
    readOperations(requester, { states: unsettled }, 1),
    readOperations(requester, { states: underWay }, 1),
    readDrift(requester),
    requester.request<{ statusHistory: { nodes: readonly StatusChange[] } }>(historyQuery),
  ]);
  return {
    cursor: start.statusCursor,
    viewer: start.me,
    backends: backends.nodes,
    operations: [...newest.nodes, ...unknown.nodes, ...open.nodes],
    drift: drift.nodes,
    history: history.statusHistory.nodes,
  };
}

/** `hasNextPage` tells that there are more than are read. */
export async function readBackends(requester: Requester): Promise<Page<Backend>> {
  return await readPages<Backend>(maxBackendPages, null, async (after) => {
    const data = await requester.request<{ backends: Page<Backend> }>(backendsQuery, { after });
    return data.backends;
  });
}

/** `hasNextPage` tells that there are more than are read. */
export async function readDrift(requester: Requester): Promise<Page<Mapping>> {
  return await readPages<Mapping>(maxDriftPages, null, async (after) => {
    const data = await requester.request<{ mappings: Page<Mapping> }>(driftQuery, {
      verification: driftResults,
      after,
    });
    return data.mappings;
  });
}

export async function readOperations(
  requester: Requester,
  filter: OperationFilter,
  maxPages: number,
  after: string | null = null,
): Promise<Page<Operation>> {
  return await readPages<Operation>(maxPages, after, async (cursor) => {
    const data = await requester.request<{ relayOperations: Page<Operation> }>(operationsQuery, {
      projectId: filter.projectId ?? null,
      backendId: filter.backendId ?? null,
      states: filter.states === undefined || filter.states.length === 0 ? null : filter.states,
      after: cursor,
    });
    return data.relayOperations;
  });
}

async function readPages<Node>(
  maxPages: number,
  after: string | null,
  readPage: (after: string | null) => Promise<Page<Node>>,
): Promise<Page<Node>> {
  const nodes: Node[] = [];
  let pageInfo = { hasNextPage: true, endCursor: after };
  for (let page = 0; page < maxPages && pageInfo.hasNextPage; page += 1) {
    const next = await readPage(pageInfo.endCursor);
    nodes.push(...next.nodes);
    pageInfo = next.pageInfo;
  }
  return { nodes, pageInfo };
}
