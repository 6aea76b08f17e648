// One subscription on one socket: graphql-ws without its own retries, because resuming needs the newest cursor each time. A
// watchdog pings, so that a silently lost socket is noticed.
import { createClient } from 'graphql-ws/client';
import type { FeedItem } from './entity-kind.ts';
import type { StreamEnd, StreamListener } from './live-feed.ts';

const acknowledgeWithinMs = 10_000;
const pingEveryMs = 10_000;
const pongWithinMs = 5_000;
const unauthenticatedClose = 4403;
const accessTokenEndedClose = 4419;
const expiredCodes = new Set(['CURSOR_EXPIRED', 'RESYNC_REQUIRED', 'INVALID_CURSOR']);

interface GraphError {
  readonly message: string;
  readonly extensions?: Readonly<Record<string, unknown>>;
}

interface ListenOptions {
  /** ws: or wss: address of the graph. */
  readonly url: string;
  readonly accessToken: () => Promise<string | undefined>;
  /** The text of the page's subscription. */
  readonly subscription: string;
}

/** Resolves when the stream has ended, with the reason. */
export function listen(
  options: ListenOptions,
  cursor: string,
  listener: StreamListener,
  signal: AbortSignal,
): Promise<StreamEnd> {
  return new Promise((resolve) => {
    let watchdog: ReturnType<typeof setTimeout> | undefined;
    const client = createClient({
      url: options.url,
      lazyCloseTimeout: 0,
      retryAttempts: 0,
      connectionAckWaitTimeout: acknowledgeWithinMs,
      keepAlive: pingEveryMs,
      connectionParams: async () => ({ authorization: `Bearer ${(await options.accessToken()) ?? ''}` }),
      on: {
        connected: () => listener.connected(),
        ping: (received) => {
          if (!received) watchdog = setTimeout(() => client.terminate(), pongWithinMs);
        },
        pong: (received) => {
          if (received) clearTimeout(watchdog);
        },
      },
    });
    let isOver = false;
    let unsubscribe = (): void => undefined;
    const finish = (end: StreamEnd): void => {
      if (isOver) return;
      isOver = true;
      clearTimeout(watchdog);
      signal.removeEventListener('abort', abort);
      resolve(end);
      // First, so that a socket that is still being opened is not used once it is closed.
      unsubscribe();
      void client.dispose();
    };
    const abort = (): void => finish({ type: 'lost', reason: 'closed' });
    signal.addEventListener('abort', abort, { once: true });
    unsubscribe = client.subscribe<{ statusChanges: FeedItem }>(
      { query: options.subscription, variables: { after: cursor } },
      {
        next: ({ data, errors }) => {
          if (data?.statusChanges) listener.item(data.statusChanges);
          else if (errors !== undefined) finish(endOfErrors(errors));
        },
        error: (error) => finish(Array.isArray(error) ? endOfErrors(error) : endOfSocket(error)),
        complete: () => finish({ type: 'lost', reason: 'The server ended the stream.' }),
      },
    );
    if (signal.aborted) abort();
  });
}

function endOfErrors(errors: readonly GraphError[]): StreamEnd {
  const { code: given = '', cursor } = errors[0]?.extensions ?? {};
  if (typeof cursor === 'string') return { type: 'incomplete' };
  const code = String(given);
  if (expiredCodes.has(code)) return { type: 'expired', code };
  if (code === 'UNAUTHENTICATED') return { type: 'unauthenticated' };
  return { type: 'lost', reason: errors[0]?.message ?? 'The server refused the stream.' };
}

function endOfSocket(error: unknown): StreamEnd {
  const code = (error as { readonly code?: unknown }).code;
  if (code === unauthenticatedClose) return { type: 'unauthenticated' };
  if (code === accessTokenEndedClose) return { type: 'token-ended' };
  if (code === 4499) return { type: 'lost', reason: 'The connection went silent.' };
  if (code === 1001) return { type: 'lost', reason: 'The server is restarting.' };
  return { type: 'lost', reason: 'The connection was lost.' };
}
