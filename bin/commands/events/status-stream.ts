// The stream of status changes for a command: after a lost connection it resumes with the last cursor, so that no change is
// missed or repeated.
import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, createClient, type FormattedExecutionResult } from 'graphql-ws';
import { WebSocket } from 'ws';
import type { StatusStreamSubscription } from '../../../generated/cli/graphql.ts';
import { graphql } from '../../../generated/cli/index.ts';
import { CommandFailure, exitCodes } from '../../cli/failures.ts';
import type { GraphClient } from '../../cli/graph-client.ts';
import type { StatusFilter } from './change.ts';

/** Its change is null when only the cursor has advanced. */
export type StreamItem = StatusStreamSubscription['statusChanges'];

export interface StatusStreamOptions {
  readonly client: GraphClient;
  readonly after: string | undefined;
  readonly filter: StatusFilter;
  readonly signal: AbortSignal;
  /** The connection was lost; the stream reconnects. */
  readonly onLost: (why: string) => void;
}

const document = graphql(`
  subscription StatusStream(
    $projectId: ID, $kinds: [String!], $subjectId: ID, $subjectTypes: [String!], $after: String
  ) {
    statusChanges(
      projectId: $projectId, kinds: $kinds, subjectId: $subjectId, subjectTypes: $subjectTypes, after: $after
    ) { cursor change { ...StatusChangeFields } }
  }
`);

const firstPauseMs = 250;
const longestPauseMs = 5_000;
/** How long the server may be unavailable before `follow` gives up. */
const patienceMs = 600_000;
const pongWithinMs = 5_000;

/** Ends when the signal is aborted; throws CommandFailure when the server refuses, or is unavailable for too long. */
export async function* followStatus(options: StatusStreamOptions): AsyncGenerator<StreamItem> {
  let after = options.after;
  let pauseMs = firstPauseMs;
  let everConnected = false;
  let awaySince = performance.now();
  while (!options.signal.aborted) {
    try {
      for await (const item of subscribeOnce(options, after)) {
        everConnected = true;
        pauseMs = firstPauseMs;
        awaySince = performance.now();
        after = item.cursor;
        yield item;
        awaySince = performance.now();
      }
    } catch (error) {
      if (options.signal.aborted) return;
      if (error instanceof CommandFailure) throw error;
      if (!everConnected || performance.now() - awaySince > patienceMs) {
        throw new CommandFailure(
          `${options.client.url.origin} can't be reached: ${reasonOf(error)}`,
          exitCodes.unreachable,
        );
      }
      options.onLost(reasonOf(error));
    }
    await sleep(pauseMs, undefined, { signal: options.signal }).catch(() => undefined);
    pauseMs = Math.min(pauseMs * 2, longestPauseMs);
  }
}

async function* subscribeOnce(options: StatusStreamOptions, after: string | undefined): AsyncGenerator<StreamItem> {
  const socket = openSocket(options.client);
  const end = () => socket.terminate();
  options.signal.addEventListener('abort', end, { once: true });
  try {
    const variables = { ...options.filter, after: after ?? null };
    for await (const result of socket.iterate<StatusStreamSubscription>({ query: document.toString(), variables })) {
      yield readItem(result);
    }
  } catch (error) {
    throw asFailure(error);
  } finally {
    options.signal.removeEventListener('abort', end);
    await socket.dispose();
  }
}

function openSocket(client: GraphClient): Client {
  const url = new URL(client.url);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  let pongTimer: NodeJS.Timeout | undefined;
  const socket = createClient({
    url: url.href,
    webSocketImpl: WebSocket,
    connectionParams: { authorization: `Bearer ${client.token ?? ''}` },
    // Its own retry would subscribe after the first cursor again.
    retryAttempts: 0,
    connectionAckWaitTimeout: 10_000,
    keepAlive: 10_000,
    on: {
      ping: (received) => {
        if (!received) pongTimer = setTimeout(() => socket.terminate(), pongWithinMs);
      },
      pong: (received) => {
        if (received) clearTimeout(pongTimer);
      },
      closed: () => clearTimeout(pongTimer),
    },
  });
  return socket;
}

function readItem(result: FormattedExecutionResult<StatusStreamSubscription, unknown>): StreamItem {
  const [error] = result.errors ?? [];
  const item = result.data?.statusChanges;
  if (error === undefined && item !== undefined) return item;
  throw [error ?? new Error('an empty answer')];
}

/** Codes after which a retry with the same cursor can't help. */
const finalCodes = new Set([
  'CURSOR_EXPIRED',
  'RESYNC_REQUIRED',
  'INVALID_CURSOR',
  'INVALID_INPUT',
  'UNAUTHENTICATED',
  'FORBIDDEN',
  'LIMIT_EXCEEDED',
]);
const refusedCloseCodes = new Set([4401, 4403]);

/** GraphQL errors come as an array, a closed socket as a close event. */
function asFailure(error: unknown): unknown {
  if (Array.isArray(error)) {
    const [first] = error as { message: string; extensions?: { code?: string } }[];
    const code = first?.extensions?.code ?? 'ERROR';
    const text = `${code}: ${first?.message ?? ''}`;
    return finalCodes.has(code) || code === 'GRAPHQL_VALIDATION_FAILED' ? new CommandFailure(text) : new Error(text);
  }
  const { code, reason } = error as { code?: unknown; reason?: unknown };
  if (typeof code === 'number' && refusedCloseCodes.has(code)) return new CommandFailure(`refused: ${String(reason)}`);
  return error;
}

function reasonOf(error: unknown): string {
  const { message, reason, code } = error as { message?: string; reason?: string; code?: unknown };
  return [message, reason, code].find((each) => each !== undefined && each !== '')?.toString() ?? 'connection lost';
}
