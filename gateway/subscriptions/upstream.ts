// One execution of a subscription at the subgraph that owns it, for all clients that share it: events are completed from the other subgraphs, in
// batches if several are waiting, and serialised once. After the loss of a subgraph it resumes with the last cursor, without a gap. Only a coded
// refusal ends it.
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { FormattedExecutionResult, GraphQLError, GraphQLFormattedError } from 'graphql';
import type { Logger } from 'pino';
import type { Identity } from '../../platform/caller/identity.ts';
import { type CursorPosition, cursorAlias } from '../../platform/events/cursor.ts';
import type { Facets } from '../../platform/events/facets.ts';
import type { Turns } from '../../platform/work/turns.ts';
import type { FeedFilter } from '../access/feed-filter.ts';
import { afterVariable, type NormalSubscription } from '../access/normal-subscription.ts';
import { type DeliveryLag, noteArrival } from '../supergraph/delivery-lag.ts';
import type { SubscriptionPlan } from '../supergraph/executor.ts';
import type { GatewayContext, LinkRequest, SubgraphLink } from '../supergraph/subgraph-link.ts';
import { completeEvents, type PlacedEvent } from './completed-event.ts';
import { ReadAhead } from './read-ahead.ts';
import type { StreamCursor } from './stream-cursor.ts';
import type { StreamItem } from './stream-item.ts';

export interface SourceRequest {
  /** The filter sent to the subgraph. */
  readonly filter: FeedFilter;
  readonly after: string | undefined;
  /** Whether an item with these facets has a reader. Others need not be completed. */
  readonly wanted: (facets: readonly string[] | undefined) => boolean;
  /** The turns for which the completion of a past item must wait. Undefined if the item is current. */
  readonly turns: () => Turns | undefined;
  readonly signal: AbortSignal;
}

export type Source = (request: SourceRequest) => AsyncGenerator<StreamItem, void, void>;

/** The stream has ended; clients get these errors. */
export class StreamEnded extends Error {
  readonly errors: readonly GraphQLFormattedError[];

  constructor(errors: readonly GraphQLFormattedError[]) {
    super(errors.map((error) => error.message).join('; '));
    this.name = 'StreamEnded';
    this.errors = errors;
  }
}

interface UpstreamOptions {
  readonly subscription: NormalSubscription;
  readonly plan: SubscriptionPlan;
  readonly link: SubgraphLink;
  readonly identity: Identity;
  readonly lag: DeliveryLag;
  readonly log: Logger;
  /** Called each time a lost subgraph is back. */
  readonly onResume: () => void;
}

/** The subgraph or its database will be back. */
const awayCodes = new Set(['SUBGRAPH_UNAVAILABLE', 'UNAVAILABLE', 'BUSY']);
/** Refusals that a retry can't resolve. */
const finalCodes = new Set([
  'UNAUTHENTICATED',
  'FORBIDDEN',
  'INVALID_CURSOR',
  'CURSOR_EXPIRED',
  'RESYNC_REQUIRED',
  'INVALID_INPUT',
  'LIMIT_EXCEEDED',
  'NOT_FOUND',
]);

/** A subgraph with this many consecutive failures that is not unavailable has a bug, and waiting longer would not help. */
const maxFaults = 40;
const firstBackoffMs = 50;
/** Limit of events that are completed together. */
const mostAhead = 64;
const maxBackoffMs = 3000;

type Failure = readonly GraphQLFormattedError[];

/** Follows the filtered subscription until `signal` ends it. Throws StreamEnded. */
export async function* followUpstream(
  options: UpstreamOptions,
  { filter, after, wanted, turns, signal }: SourceRequest,
): AsyncGenerator<StreamItem, void, void> {
  const { subscription, link, log } = options;
  let last = after;
  let lastAt: CursorPosition | undefined;
  let fruitless = 0;
  while (!signal.aborted) {
    const stream = await link.subscribe(upstreamRequest(options, filter, last));
    let failure: Failure = [];
    if (!(Symbol.asyncIterator in stream)) failure = failureIn(stream.errors) ?? [];
    else {
      const stop = (): void => {
        stream.return().catch((error: unknown) => log.warn({ err: error }, 'an upstream failed to close'));
      };
      signal.addEventListener('abort', stop, { once: true });
      const ahead = new ReadAhead(stream, mostAhead, noteArrival);
      try {
        if (signal.aborted) return;
        for (let events = await ahead.take(); events !== undefined; events = await ahead.take()) {
          const { placed, refusal } = acceptedOf(events, { subscription, name: link.name, after: lastAt });
          const items = await completedItems(options, placed, { wanted, turns, signal });
          if (items === undefined) return;
          for (const item of items) {
            if (signal.aborted) return;
            last = item.cursor.text;
            lastAt = item.cursor;
            fruitless = 0;
            yield item;
          }
          if (refusal === undefined) continue;
          failure = refusal;
          break;
        }
      } finally {
        signal.removeEventListener('abort', stop);
        ahead.close();
        stop();
      }
    }
    if (signal.aborted) return;
    fruitless += 1;
    const away = failure.length === 0 || failure.some((error) => awayCodes.has(codeOf(error) ?? ''));
    if (failure.some((error) => finalCodes.has(codeOf(error) ?? '')) || (!away && fruitless >= maxFaults))
      throw new StreamEnded(failure);
    log.info({ subgraph: link.name, attempt: fruitless, errors: failure }, 'an upstream was lost; taking it up again');
    options.onResume();
    const backoffMs = Math.min(maxBackoffMs, firstBackoffMs * 2 ** Math.min(fruitless - 1, 10));
    // Jitter, so that many streams do not reconnect in the same instant.
    await delay(backoffMs * (0.5 + Math.random() / 2), undefined, { signal, ref: false }).catch(() => undefined);
  }
}

/** New events of a subgraph, up to the first one that is out of order. */
function acceptedOf(
  events: readonly FormattedExecutionResult[],
  {
    subscription,
    name,
    after,
  }: { readonly subscription: NormalSubscription; readonly name: string; readonly after: CursorPosition | undefined },
): { readonly placed: readonly PlacedEvent[]; readonly refusal?: Failure } {
  const placed: PlacedEvent[] = [];
  let lastAt = after;
  for (const event of events) {
    const cursor = cursorOf(event, subscription.rootKey);
    if (cursor === undefined)
      return {
        placed,
        refusal: failureIn(event.errors) ?? [{ message: `subgraph ${name} sent an event without a cursor` }],
      };
    // A socket library may have reconnected by itself. Items are not passed on twice.
    if (lastAt?.timeline === cursor.timeline && cursor.seq <= lastAt.seq) continue;
    const facets = subscription.isFiltered ? facetsIn(event) : null;
    if (facets === undefined) return { placed, refusal: [{ message: `subgraph ${name} sent an item without facets` }] };
    lastAt = cursor;
    placed.push({ event, cursor, facets: facets ?? undefined });
  }
  return { placed };
}

/** Skips items without readers. Undefined if the signal aborted. */
async function completedItems(
  options: UpstreamOptions,
  placed: readonly PlacedEvent[],
  { wanted, turns, signal }: Pick<SourceRequest, 'wanted' | 'turns' | 'signal'>,
): Promise<readonly StreamItem[] | undefined> {
  const { subscription, lag, identity } = options;
  const asked = placed.filter(({ facets }) => wanted(facets));
  const past = turns();
  const complete = () => completeEvents({ ...options, context: eventContext(identity) }, asked);
  const start = past === undefined ? 'now' : 'cursor';
  const events = asked.map(({ event }) => event);
  const completed =
    asked.length === 0
      ? []
      : await lag.measure(events, { feed: subscription.feed, start }, () => inTurn(past, signal, complete));
  if (completed === undefined || signal.aborted) return undefined;
  const byPlace = new Map(asked.map((each, index) => [each, completed[index]]));
  return placed.map((each) => {
    const { cursor, facets } = each;
    return byPlace.get(each) ?? { cursor, facets, text: undefined, checkpoint: false };
  });
}

function upstreamRequest(options: UpstreamOptions, filter: FeedFilter, after: string | undefined): LinkRequest {
  const { plan, subscription, identity } = options;
  const given: Record<string, unknown> = { ...subscription.variables, ...filter.variables };
  if (after !== undefined) given[afterVariable] = after;
  const variables = Object.fromEntries(Object.entries(given).filter(([name]) => plan.variables.has(name)));
  return {
    text: plan.text,
    document: plan.document,
    variables,
    operationName: plan.operationName,
    context: eventContext(identity),
  };
}

function eventContext(identity: Identity): GatewayContext {
  return { identity, requestId: randomUUID(), loaders: new Map() };
}

/** Runs at once if there are no turns. Undefined if the signal aborted the wait. */
async function inTurn<T>(
  turns: Turns | undefined,
  signal: AbortSignal,
  work: () => Promise<T>,
): Promise<T | undefined> {
  if (turns === undefined) return work();
  if (!turns.take()) {
    const came = await turns.wait(signal).then(
      () => true,
      () => false,
    );
    if (!came) return undefined;
  }
  try {
    return await work();
  } finally {
    turns.give();
  }
}

/** Undefined without a cursor, or without its position. */
function cursorOf({ data, extensions }: FormattedExecutionResult, rootKey: string): StreamCursor | undefined {
  const payload = data?.[rootKey];
  const text = isRecord(payload) ? payload[cursorAlias] : undefined;
  const position = extensions?.position;
  if (typeof text !== 'string' || !isRecord(position)) return undefined;
  const { timeline, seq } = position;
  return typeof timeline === 'number' && typeof seq === 'number' ? { text, timeline, seq } : undefined;
}

/** Null if the item is for every reader. Undefined if it has no facets. */
function facetsIn({ extensions }: FormattedExecutionResult): Facets | undefined {
  const facets = extensions?.facets;
  return facets === null || Array.isArray(facets) ? (facets as Facets) : undefined;
}

/** Undefined if it is not a list of errors: an outside subgraph may send anything. */
function failureIn(errors: unknown): Failure | undefined {
  if (!Array.isArray(errors) || errors.length === 0) return undefined;
  const isError = (each: unknown) => isRecord(each) && typeof each.message === 'string';
  return errors.every(isError) ? (errors as Failure) : undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function codeOf(error: GraphQLFormattedError | GraphQLError): string | undefined {
  const code = error.extensions?.code;
  return typeof code === 'string' ? code : undefined;
}
