// Starts and stops the live feed and the poll with the login: one owner for everything that runs in the background.
import type { Requester } from '../graph/request.ts';
import type { Session } from '../session/session.ts';
import { runBackendPoll } from './backend-poll.ts';
import { listen } from './listen.ts';
import { runLiveFeed } from './live-feed.ts';
import type { LiveStore } from './live-store.ts';
import { readSnapshot } from './snapshot.ts';

export interface ControllerParts {
  readonly session: Session;
  readonly requester: Requester;
  readonly store: LiveStore;
  /** ws: or wss: address of the graph. */
  readonly socketUrl: string;
}

/** Follows the session for as long as the page lives; returns how to stop. */
export function startController({ session, requester, store, socketUrl }: ControllerParts): () => void {
  let running: AbortController | undefined;
  const follow = (): void => {
    if (session.status === 'open' && running === undefined) running = run();
    if (session.status !== 'open' && running !== undefined) {
      running.abort();
      running = undefined;
      store.clear();
    }
  };
  const run = (): AbortController => {
    const controller = new AbortController();
    const { signal } = controller;
    void runLiveFeed(
      store,
      {
        readSnapshot: () => readSnapshot(requester),
        listen: (cursor, listener, stop) =>
          listen({ url: socketUrl, accessToken: () => session.accessToken() }, cursor, listener, stop),
        renewCredential: async () => (await session.renew()) !== undefined,
        endSession: () => session.end('ended'),
        random: Math.random,
      },
      signal,
    );
    void runBackendPoll(store, requester, () => document.visibilityState === 'visible', signal);
    return controller;
  };
  const unsubscribe = session.subscribe(follow);
  follow();
  return () => {
    unsubscribe();
    running?.abort();
  };
}
