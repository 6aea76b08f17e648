// Starts the background work of an open page: the live feed and the poll. Both are stopped when the page is left
// or the login ends.
import { DashboardStartDocument } from '../../../generated/dashboard/graphql.ts';
import { pause } from '../graph/backoff.ts';
import type { Requester } from '../graph/request.ts';
import type { Page } from '../page.ts';
import type { Session } from '../session/session.ts';
import { changesSubscription, historyQuery } from './graphql-documents.ts';
import { listen } from './listen.ts';
import { runLiveFeed } from './live-feed.ts';
import type { Snapshot } from './live-state.ts';
import type { LiveStore } from './live-store.ts';

const pollEveryMs = 5_000;

interface LiveDependencies {
  readonly session: Session;
  readonly requester: Requester;
  readonly store: LiveStore;
  /** ws: or wss: address of the graph. */
  readonly socketUrl: string;
}

/** `name` is the page's. Returns a function that stops everything. */
export function startLive(name: string, page: Page, dependencies: LiveDependencies): () => void {
  const { session, requester, store, socketUrl } = dependencies;
  const controller = new AbortController();
  const { signal } = controller;
  const subscription = changesSubscription(name, page).toString();
  void runLiveFeed(
    store,
    {
      readSnapshot: () => readSnapshot(name, page, requester),
      listen: (cursor, listener, stop) =>
        listen({ url: socketUrl, accessToken: () => session.accessToken(), subscription }, cursor, listener, stop),
      renewCredential: async () => (await session.renew()) !== undefined,
      endSession: () => session.end('ended'),
      random: Math.random,
    },
    signal,
  );
  void runPoll(page, dependencies, signal);
  return () => controller.abort();
}

/** The cursor is read first: changes during the read come again by subscription, and versions resolve it. */
async function readSnapshot(name: string, page: Page, requester: Requester): Promise<Snapshot> {
  const { statusCursor, me } = await requester.request(DashboardStartDocument, {});
  const [entities, { statusHistory }] = await Promise.all([
    page.read(requester),
    requester.request(historyQuery(name, page), {}),
  ]);
  return { cursor: statusCursor, viewer: me, entities, history: statusHistory.nodes };
}

/** Pauses while the page is hidden or the stream is down. */
async function runPoll({ poll }: Page, { store, requester }: LiveDependencies, signal: AbortSignal): Promise<void> {
  for (let round = 1; poll !== undefined && !signal.aborted; round += 1) {
    await pause(pollEveryMs, signal);
    if (signal.aborted || document.visibilityState !== 'visible' || !store.connection.connected) continue;
    // Failures are not reported here: the stream's state shows that the server is not available.
    await poll({ store, requester, signal }, round).catch(() => undefined);
  }
}
