// Reads the lists of the relay's page, bounded, and values without a status change: queues, latencies and the time of the last
// check; occasionally also drift, because a call that changes an object clears its finding without a status change.
import {
  RelayBackendsDocument,
  RelayDriftDocument,
  RelayOperationCountsDocument,
  RelayOperationsDocument,
  RelayVerifiedDocument,
} from '../../../../generated/dashboard/graphql.ts';
import { type Page, readPages } from '../../graph/read-pages.ts';
import type { Requester } from '../../graph/request.ts';
import type { Entity } from '../../live/entity-kind.ts';
import { entitiesOf } from '../../live/live-state.ts';
import type { PolledPage } from '../../page.ts';
import { type Backend, backendKind } from './kinds/backend.ts';
import { driftIn, driftResults, type Mapping, mappingKind } from './kinds/mapping.ts';
import { type Operation, type OperationState, operationKind } from './kinds/operation.ts';

const maxBackendPages = 10;
const firstOperationPages = 2;
const maxDriftPages = 3;
const unsettled: readonly OperationState[] = ['UNKNOWN'];
const underWay: readonly OperationState[] = ['PENDING', 'SENT', 'ACCEPTED'];
const roundsToDrift = 6;
const pageSize = 100;
/** Of one search by text; the button continues it. */
const searchedPages = 10;
const searchedWords = 8;

interface OperationFilter {
  readonly projectId?: string | null;
  readonly backendId?: string | null;
  readonly states?: readonly OperationState[];
  readonly text?: string;
}

/** Of calls in one state. */
export interface OperationCount {
  readonly count: number;
  /** False if this is only a lower bound. */
  readonly complete: boolean;
}

export async function readLists(requester: Requester): Promise<readonly Entity[]> {
  const lists: readonly Page<Entity>[] = await Promise.all([
    readBackends(requester),
    readOperations(requester, {}, firstOperationPages),
    readOperations(requester, { states: unsettled }, 1),
    readOperations(requester, { states: underWay }, 1),
    readDrift(requester),
  ]);
  return lists.flatMap(({ nodes }) => nodes);
}

export async function poll(live: PolledPage, round: number): Promise<void> {
  await pollBackends(live);
  if (round % roundsToDrift === 0) await pollDrift(live);
}

async function pollBackends({ store, requester, signal }: PolledPage): Promise<void> {
  const knownBefore = [...entitiesOf(store.state, backendKind).keys()];
  const isIncomplete = store.takeIncomplete();
  const backends = await readBackends(requester);
  if (signal.aborted) return;
  store.take(backendKind, backends.nodes, backends.pageInfo.hasNextPage ? [] : knownBefore);
  if (!isIncomplete) return;
  const operations = await readOperations(requester, {}, 1);
  if (!signal.aborted) store.take(operationKind, operations.nodes);
}

async function pollDrift({ store, requester, signal }: PolledPage): Promise<void> {
  const driftBefore = driftIn(entitiesOf(store.state, mappingKind)).map(({ id }) => id);
  const drift = await readDrift(requester);
  if (!signal.aborted) store.take(mappingKind, drift.nodes, drift.pageInfo.hasNextPage ? [] : driftBefore);
}

async function readBackends(requester: Requester): Promise<Page<Backend>> {
  return await readPages<Backend>(
    maxBackendPages,
    null,
    async (after) => (await requester.request(RelayBackendsDocument, { after })).backends,
  );
}

/** Without drift, one mapping that matches: so it is known whether any object was verified. */
async function readDrift(requester: Requester): Promise<Page<Mapping>> {
  const drift = await readPages<Mapping>(
    maxDriftPages,
    null,
    async (after) => (await requester.request(RelayDriftDocument, { verification: driftResults, after })).mappings,
  );
  if (drift.nodes.length > 0) return drift;
  const { mappings } = await requester.request(RelayVerifiedDocument, {});
  return { ...drift, nodes: mappings.nodes };
}

/** A search by text has pages with few operations, or none, while more follow: it reads further until a page is full. */
export async function readOperations(
  requester: Requester,
  filter: OperationFilter,
  maxPages: number,
  after: string | null = null,
): Promise<Page<Operation>> {
  const { projectId = null, backendId = null, states = [] } = filter;
  const text = searchedText(filter.text);
  const read = async (cursor: string | null) => {
    const variables = { projectId, backendId, states: states.length === 0 ? null : states, text, after: cursor };
    return (await requester.request(RelayOperationsDocument, variables)).relayOperations;
  };
  return text === null
    ? await readPages<Operation>(maxPages, after, read)
    : await readPages<Operation>(searchedPages, after, read, pageSize * maxPages);
}

/** By state. */
export async function readOperationCounts(
  requester: Requester,
  { projectId = null, backendId = null, text }: Omit<OperationFilter, 'states'>,
): Promise<ReadonlyMap<OperationState, OperationCount>> {
  const variables = { projectId, backendId, text: searchedText(text) };
  const { relayOperationCounts } = await requester.request(RelayOperationCountsDocument, variables);
  return new Map(relayOperationCounts.map(({ state, ...count }) => [state, count]));
}

/** The words that the server searches. Null if there are none. The page itself applies any further ones. */
function searchedText(text = ''): string | null {
  const words = text.split(/\s+/).filter(Boolean).slice(0, searchedWords);
  return words.length === 0 ? null : words.join(' ');
}
