// The stream of status changes for a command: after a lost connection it resumes with the last cursor, so that no change is
// missed or repeated.
import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, createClient, type FormattedExecutionResult } from 'graphql-ws';
import { WebSocket } from 'ws';
import type { StatusStreamSubscription, StatusStreamSubscriptionVariables } from '../generated/cli/graphql.ts';
import { graphql } from '../generated/cli/index.ts';
import { socketCloses } from '../platform/errors/errors.ts';
import { CommandFailure, exitCodes, Interruption } from './failures.ts';
import type { GraphClient } from './graph-client.ts';

export type StatusFilter = Omit<StatusStreamSubscriptionVariables, 'after'>;

/** Its change is null when only the cursor has advanced. */
type StreamItem = StatusStreamSubscription['statusChanges'];

/** The address is read again for each connection. */
type StreamedFrom = Pick<GraphClient, 'url' | 'credential'>;

interface StatusStreamOptions {
  readonly client: StreamedFrom;
  readonly after: string | undefined;
  readonly filter: StatusFilter;
  readonly signal: AbortSignal;
  /** The connection was lost, and the stream reconnects. */
  readonly onLost: (why: string) => void;
  /** The server could not complete a change. The stream continues after it. */
  readonly onMissed: (why: string) => void;
}

const document = graphql(`
  subscription StatusStream(
    $projectId: ID, $kinds: [String!], $subjectId: ID, $subjectTypes: [String!],
    $cmpObject: CmpObjectInput, $after: String
  ) {
    statusChanges(
      projectId: $projectId, kinds: $kinds, subjectId: $subjectId, subjectTypes: $subjectTypes,
      cmpObject: $cmpObject, after: $after
    ) { cursor kind change { ...StatusChangeFields } }
  }
`);

const firstPauseMs = 250;
const longestPauseMs = 5_000;
/** Time that the server may be unavailable before `follow` gives up. */
const patienceMs = 600_000;
const pingAfterMs = 10_000;
const pongWithinMs = 5_000;
/** A server that is silent for this long is given up. */
export const longestSilenceMs = pingAfterMs + pongWithinMs;

/** Ends when the signal aborts. Throws CommandFailure when the server refuses, or is unavailable for too long. */
export async function* followStatus(options: StatusStreamOptions): AsyncGenerator<StreamItem> {
  let after = options.after;
  let pauseMs = firstPauseMs;
  let everConnected = false;
  let awaySince = performance.now();
  /** Whether a replacement of a refused token is in use that the server has not accepted yet. */
  let isSecondTry = false;
  const onAcknowledged = () => {
    isSecondTry = false;
  };
  while (!options.signal.aborted) {
    let token = '';
    try {
      token = (await options.client.credential?.token()) ?? '';
      if (options.signal.aborted) return;
      for await (const item of subscribeOnce(options, { token, after, onAcknowledged })) {
        everConnected = true;
        pauseMs = firstPauseMs;
        awaySince = performance.now();
        after = item.cursor;
        yield item;
        awaySince = performance.now();
      }
    } catch (error) {
      if (options.signal.aborted) return;
      if (isFinal(error) || (error instanceof CommandFailure && !everConnected)) throw error;
      const code = closeCodeOf(error);
      if (code === socketCloses.accessTokenEnded.code || code === socketCloses.forbidden.code) {
        const canGoOn = !isSecondTry && (await hasAnother(options.client, token));
        if (options.signal.aborted) return;
        if (!canGoOn && code === socketCloses.forbidden.code) throw refusal(error);
        isSecondTry = true;
        // The expiry of a token is not reported as a loss.
        await sleep(firstPauseMs, undefined, { signal: options.signal }).catch(() => undefined);
        continue;
      }
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

/** A failure that a retry can't repair. A server that is unreachable during a renewal is not one. */
function isFinal(error: unknown): boolean {
  return error instanceof CommandFailure && error.exitCode !== exitCodes.unreachable;
}

/** Whether a refused token may have a replacement, even if it can't be fetched at the moment. */
async function hasAnother({ credential }: StreamedFrom, refused: string): Promise<boolean> {
  try {
    return (await credential?.inPlaceOf(refused)) !== undefined;
  } catch (error) {
    if (isFinal(error) && !(error instanceof Interruption)) throw error;
    return true;
  }
}

async function* subscribeOnce(
  options: StatusStreamOptions,
  { after, ...attempt }: Attempt & { readonly after: string | undefined },
): AsyncGenerator<StreamItem> {
  const socket = openSocket(options.client, attempt);
  const end = () => socket.terminate();
  options.signal.addEventListener('abort', end, { once: true });
  try {
    const variables = { ...options.filter, after: after ?? null };
    for await (const result of socket.iterate<StatusStreamSubscription>({ query: document.toString(), variables })) {
      yield missedItem(result, options.onMissed) ?? readItem(result);
    }
  } catch (error) {
    throw asFailure(error);
  } finally {
    options.signal.removeEventListener('abort', end);
    await socket.dispose();
  }
}

interface Attempt {
  readonly token: string;
  /** The server has accepted the token. */
  readonly onAcknowledged: () => void;
}

/** A socket that is closed while it connects emits an error, which may have no listener any more. */
class QuietSocket extends WebSocket {
  constructor(...given: ConstructorParameters<typeof WebSocket>) {
    super(...given);
    this.on('error', () => undefined);
  }
}

function openSocket(client: StreamedFrom, { token, onAcknowledged }: Attempt): Client {
  const url = new URL(client.url);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  let pongTimer: NodeJS.Timeout | undefined;
  const socket = createClient({
    url: url.href,
    webSocketImpl: QuietSocket,
    connectionParams: { authorization: `Bearer ${token}` },
    // Its own retry would subscribe after the first cursor again.
    retryAttempts: 0,
    connectionAckWaitTimeout: 10_000,
    keepAlive: pingAfterMs,
    on: {
      connected: onAcknowledged,
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

/** Stands for a change that the server could not complete, and would send again on another connection. */
function missedItem(
  { data, errors }: FormattedExecutionResult<StatusStreamSubscription, unknown>,
  onMissed: StatusStreamOptions['onMissed'],
): StreamItem | undefined {
  const [error] = errors ?? [];
  const cursor = error?.extensions?.cursor;
  if (data != null || typeof cursor !== 'string') return undefined;
  onMissed(error?.message ?? '');
  return { cursor, kind: 'CHECKPOINT', change: null };
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

/** GraphQL errors come as an array, a closed socket as a close event. */
function asFailure(error: unknown): unknown {
  if (Array.isArray(error)) {
    const [first] = error as { message: string; extensions?: { code?: string } }[];
    const code = first?.extensions?.code ?? 'ERROR';
    const text = `${code}: ${first?.message ?? ''}`;
    return finalCodes.has(code) || code === 'GRAPHQL_VALIDATION_FAILED' ? new CommandFailure(text) : new Error(text);
  }
  return error;
}

/** The code of a closed socket. */
function closeCodeOf(error: unknown): number | undefined {
  const { code } = error as { code?: unknown };
  return typeof code === 'number' ? code : undefined;
}

function refusal(error: unknown): CommandFailure {
  return new CommandFailure(`refused: ${String((error as { reason?: unknown }).reason)}`);
}

function reasonOf(error: unknown): string {
  const { message, reason, code } = error as { message?: string; reason?: string; code?: unknown };
  return [message, reason, code].find((each) => each !== undefined && each !== '')?.toString() ?? 'connection lost';
}
