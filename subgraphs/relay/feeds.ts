// The relay's subscriptions: the status stream, narrowed to operations or backends, each event with its subject as it is now.
import type {
  Resolvers,
  SubscriptionBackendChangesArgs,
  SubscriptionRelayOperationChangesArgs,
} from '../../generated/graph/relay.ts';
import { projectsFor } from '../../platform/authorise.ts';
import type { Database } from '../../platform/database/database.ts';
import type { FeedItem, SequencedEvent, StatusFeed } from '../../platform/events/feed.ts';
import type { Identity, RequestContext } from '../../platform/identity.ts';
import { decodeUuid } from '../../platform/ids.ts';
import type { BackendRow } from './backends/backend.ts';
import { readBackend } from './backends/backend-store.ts';
import { readOperation } from './journal/operation-store.ts';
import type { OperationRow } from './model/operation.ts';

/** Of events that only moved the cursor on, at most one in this time is told. */
const checkpointEveryMs = 5_000;

export function feedResolvers(parts: { readonly db: Database; readonly feed: StatusFeed }): Resolvers {
  const feeds = new Feeds(parts);
  return {
    Subscription: {
      relayOperationChanges: { subscribe: (_, args, context) => feeds.operations(context, args) },
      backendChanges: { subscribe: (_, args, context) => feeds.backends(context, args) },
    },
  };
}

class Feeds {
  readonly #db: Database;
  readonly #feed: StatusFeed;

  constructor(options: { readonly db: Database; readonly feed: StatusFeed }) {
    this.#db = options.db;
    this.#feed = options.feed;
  }

  operations(context: RequestContext, args: Partial<SubscriptionRelayOperationChangesArgs>) {
    const backendId = args.backendId == null ? null : (decodeUuid('Backend', args.backendId) ?? 'none');
    const source = this.#subscribe(context.identity, args, 'RelayOperation');
    return mapped(source, async ({ cursor, event }) => {
      const operation = event === null ? null : ((await readOperation(this.#db, event.subjectId)) ?? null);
      const elsewhere = backendId !== null && operation !== null && operation.backendId !== backendId;
      return elsewhere
        ? { skip: true, value: { relayOperationChanges: { cursor, operation: null as OperationRow | null } } }
        : { skip: false, value: { relayOperationChanges: { cursor, operation } } };
    });
  }

  backends(context: RequestContext, args: Partial<SubscriptionBackendChangesArgs>) {
    const source = this.#subscribe(context.identity, args, 'Backend');
    return mapped(source, async ({ cursor, event }) => {
      const backend: BackendRow | null =
        event === null ? null : ((await readBackend(this.#db, event.subjectId)) ?? null);
      return { skip: false, value: { backendChanges: { cursor, backend } } };
    });
  }

  #subscribe(
    identity: Identity | null,
    args: Partial<SubscriptionBackendChangesArgs>,
    subjectType: string,
  ): AsyncGenerator<FeedItem, void, void> {
    const shown = projectsFor(identity, args.projectId);
    const projects = shown === 'all' ? shown : new Set(shown);
    const filter = (event: SequencedEvent) =>
      event.subjectType === subjectType &&
      event.projectId !== null &&
      (projects === 'all' || projects.has(event.projectId));
    return this.#feed.subscribe({ after: args.after ?? null, filter });
  }
}

/** Not an async generator function: its return() would wait for a next() that may never come. */
function mapped<Payload>(
  source: AsyncGenerator<FeedItem, void, void>,
  map: (item: FeedItem) => Promise<{ readonly skip: boolean; readonly value: Payload }>,
): AsyncGenerator<Payload, void, void> {
  let toldAtMs = performance.now();
  const stream: AsyncGenerator<Payload, void, void> = {
    async next() {
      for (;;) {
        const item = await source.next();
        if (item.done === true) return { done: true, value: undefined };
        const { skip, value } = await map(item.value);
        if (skip && performance.now() - toldAtMs < checkpointEveryMs) continue;
        toldAtMs = performance.now();
        return { done: false, value };
      }
    },
    async return() {
      await source.return();
      return { done: true, value: undefined };
    },
    async throw(error) {
      await source.return();
      throw error;
    },
    [Symbol.asyncIterator]: () => stream,
    [Symbol.asyncDispose]: async () => {
      await source.return();
    },
  };
  return stream;
}
