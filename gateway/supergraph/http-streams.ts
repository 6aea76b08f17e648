// Subscriptions at a subgraph on another host, all over one lazily opened graphql-ws socket. A stream that is read too slowly is ended instead of
// being buffered without limit. Its reader resumes by its cursor.

import type { FormattedExecutionResult } from 'graphql';
import { type Client, createClient } from 'graphql-ws';
import type { Logger } from 'pino';
import { WebSocket } from 'ws';
import {
  connectionBody,
  identityHeader,
  signIdentity,
  subscriptionBody,
} from '../../platform/graph/signed-identity.ts';
import { clientOptions, type MutualTls, watchPeer } from '../../platform/machines/tls.ts';
import type { SigningKeys } from '../../platform/secrets/key-pairs.ts';
import { pullStream } from '../../platform/work/pull-stream.ts';
import { noteArrival } from './delivery-lag.ts';
import { lostSubgraph } from './lost-subgraph.ts';
import type { Places } from './places.ts';
import type { LinkRequest, ResultStream } from './subgraph-link.ts';

interface HttpStreamsOptions {
  readonly name: string;
  readonly places: Pick<Places<{ readonly url: string }>, 'all' | 'best' | 'failed'>;
  readonly tls?: MutualTls;
  readonly signingKeys: SigningKeys;
  readonly log: Logger;
}

const maxWaiting = 1000;
const connectTimeoutMs = 3000;
const pingIntervalMs = 2000;
const pongDeadlineMs = 3000;

export class HttpStreams {
  readonly #options: HttpStreamsOptions;
  #client: Client | undefined;
  #closed = false;

  constructor(options: HttpStreamsOptions) {
    this.#options = options;
  }

  async subscribe(request: LinkRequest): Promise<ResultStream | FormattedExecutionResult> {
    const { name, signingKeys } = this.#options;
    if (this.#closed) return lostSubgraph(name, request, false);
    this.#client ??= this.#connect();
    const asked = { query: request.text, variables: { ...request.variables }, operationName: request.operationName };
    const signed = signIdentity(signingKeys, request.context, { audience: name, body: subscriptionBody(asked) });
    return openStream(this.#client, { ...asked, extensions: { [identityHeader]: signed } }, () =>
      lostSubgraph(name, request, false),
    );
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#client?.dispose();
    this.#client?.terminate();
  }

  #connect(): Client {
    const { name, places, tls, signingKeys, log } = this.#options;
    const claims = { identity: null, requestId: 'gateway' };
    const socketOptions = () => ({
      ...{ handshakeTimeout: connectTimeoutMs, maxPayload: 64 * 1024 * 1024 },
      ...(tls === undefined ? {} : clientOptions(tls, name)),
    });
    let place: { readonly url: string } | undefined;
    let connected = false;
    let pongTimer: NodeJS.Timeout | undefined;
    const client = createClient({
      url: () => {
        place = places.best();
        return `${place.url.replace(/^http/, 'ws')}/graphql`;
      },
      webSocketImpl: class extends WebSocket {
        constructor(address: string, protocols: string[]) {
          super(address, protocols, socketOptions());
          if (tls !== undefined) this.on('upgrade', ({ socket }) => watchPeer(tls, socket));
          // graphql-ws removes its own listener when it terminates a socket that is still connecting.
          this.on('error', (error) => log.debug({ subgraph: name, err: error }, 'the socket to a subgraph failed'));
        }
      },
      lazy: true,
      // Retries once, at another place, before anything was sent. Resuming a stream needs its cursor, which only its reader has.
      retryAttempts: places.all.length > 1 ? 1 : 0,
      shouldRetry: () => !connected,
      retryWait: async () => undefined,
      connectionAckWaitTimeout: connectTimeoutMs,
      connectionParams: () => ({
        [identityHeader]: signIdentity(signingKeys, claims, { audience: name, body: connectionBody }),
      }),
      keepAlive: pingIntervalMs,
      on: {
        connecting: () => {
          connected = false;
        },
        connected: () => {
          connected = true;
        },
        ping: (received) => {
          if (!received) pongTimer = setTimeout(() => client.terminate(), pongDeadlineMs);
        },
        pong: (received) => {
          if (received) clearTimeout(pongTimer);
        },
        closed: (event) => {
          clearTimeout(pongTimer);
          if (place !== undefined && (event as { readonly code?: unknown }).code !== 1000) places.failed(place);
          log.debug({ subgraph: name }, 'the socket to a subgraph closed');
        },
      },
    });
    return client;
  }
}

/** One subscription as a pull stream with a bounded buffer. */
function openStream(
  client: Client,
  payload: Parameters<Client['subscribe']>[0],
  lost: () => FormattedExecutionResult,
): ResultStream {
  const waiting: FormattedExecutionResult[] = [];
  let ended = false;
  let wake: (() => void) | undefined;
  const end = (last?: FormattedExecutionResult): void => {
    if (ended) return;
    ended = true;
    if (last !== undefined) waiting.push(last);
    wake?.();
  };
  const cancel = client.subscribe(payload, {
    next(result) {
      if (ended) return;
      noteArrival(result);
      waiting.push(result as FormattedExecutionResult);
      wake?.();
      if (waiting.length < maxWaiting) return;
      end(lost());
      cancel();
    },
    error(error) {
      // A list contains the subgraph's own GraphQL errors. Anything else is a fault of the socket.
      end(Array.isArray(error) ? { errors: error } : lost());
    },
    complete: () => end(),
  });
  return pullStream({
    async next() {
      while (waiting.length === 0 && !ended)
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      return waiting.shift();
    },
    end() {
      waiting.length = 0;
      end();
      cancel();
    },
  });
}
