// One execution of a subscription at the subgraph that owns it, for all clients that share it: each event is completed from the
// other subgraphs and serialised once. After the loss of a subgraph it resumes with the last cursor, without a gap; only a coded
// refusal ends it.
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { FormattedExecutionResult, GraphQLError, GraphQLFormattedError } from 'graphql';
import type { Logger } from 'pino';
import type { Identity } from '../../platform/edge/identity.ts';
import { type CursorPosition, cursorAlias } from '../../platform/events/cursor.ts';
import type { Facets } from '../../platform/events/facets.ts';
import type { Turns } from '../../platform/work/turns.ts';
import type { SubscriptionPlan } from '../supergraph/executor.ts';
import type { GatewayContext, LinkRequest, SubgraphLink } from '../supergraph/subgraph-link.ts';
import type { DeliveryLag } from '../web/delivery-lag.ts';
import { completeEvent } from './completed-event.ts';
import type { FeedFilter } from './feed-filter.ts';
import { afterVariable, type NormalSubscription } from './normal-subscription.ts';
import type { StreamCursor } from './stream-cursor.ts';
import type { StreamItem } from './stream-item.ts';

export interface SourceRequest {
  /** The filter sent to the subgraph. */
  readonly filter: FeedFilter;
  readonly after: string | undefined;
  /** Whether an item with these facets has a reader: others need not be completed. */
  readonly wanted: (facets: readonly string[] | undefined) => boolean;
  /** The turns for which the completion of a past item must wait; undefined: the item is current. */
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

/** A subgraph with this many consecutive failures that is not unavailable has a bug; waiting longer would not help. */
const maxFaults = 40;
const firstBackoffMs = 50;
const maxBackoffMs = 3000;

type Failure = readonly GraphQLFormattedError[];

/** Follows the filtered subscription until `signal` ends it. Throws StreamEnded. */
export async function* followUpstream(
  options: UpstreamOptions,
  { filter, after, wanted, turns, signal }: SourceRequest,
): AsyncGenerator<StreamItem, void, void> {
  const { subscription, link, lag, log } = options;
  let last = after;
  let lastAt: CursorPosition | undefined;
  let fruitless = 0;
  while (!signal.aborted) {
    const stream = await link.subscribe(upstreamRequest(options, filter, last));
    let failure: Failure = [];
    if (!(Symbol.asyncIterator in stream)) failure = stream.errors ?? [];
    else {
      const stop = (): void => {
        stream.return().catch((error: unknown) => log.warn({ err: error }, 'an upstream failed to close'));
      };
      signal.addEventListener('abort', stop, { once: true });
      try {
        if (signal.aborted) return;
        for await (const event of stream) {
          const cursor = cursorOf(event, subscription.rootKey);
          if (cursor === undefined) {
            failure = event.errors ?? [{ message: `subgraph ${link.name} sent an event without a cursor` }];
            break;
          }
          // A socket library may have retried by itself: items received before are not passed on twice.
          if (lastAt?.timeline === cursor.timeline && cursor.seq <= lastAt.seq) continue;
          const given = subscription.isFiltered ? facetsIn(event) : null;
          if (given === undefined) {
            failure = [{ message: `subgraph ${link.name} sent an item without facets` }];
            break;
          }
          const facets = given ?? undefined;
          const past = turns();
          const complete = () =>
            completeEvent({ ...options, context: eventContext(options.identity) }, event, { cursor, facets });
          const item: StreamItem | undefined = wanted(facets)
            ? await lag.measure(event, { feed: subscription.feed, start: past === undefined ? 'now' : 'cursor' }, () =>
                inTurn(past, signal, complete),
              )
            : { cursor, facets, text: undefined, checkpoint: false };
          if (item === undefined || signal.aborted) return;
          last = cursor.text;
          lastAt = cursor;
          fruitless = 0;
          yield item;
        }
      } finally {
        signal.removeEventListener('abort', stop);
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

/** Without turns: at once. Undefined: the signal ended the wait. */
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

/** Undefined: without a cursor, or without its position. */
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

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function codeOf(error: GraphQLFormattedError | GraphQLError): string | undefined {
  const code = error.extensions?.code;
  return typeof code === 'string' ? code : undefined;
}
