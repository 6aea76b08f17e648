// Opens the connections of a transport, only to addresses that belong to its backend, and knows all that are open.

import type { HttpCall, JsonObject } from '../drivers/driver.ts';
import { failed } from './failures.ts';
import { HttpsConnection } from './https-connection.ts';
import { endpointOfCall, originOf, ownEndpoint } from './https-origins.ts';
import { requestOf, type SessionHeaders } from './https-request.ts';
import type { Endpoint, ReserveFailure, SendOptions, SendResult } from './session.ts';
import { connectTlsEndpoint, type TlsEndpoint } from './tls-endpoint.ts';

export type Connected =
  | { readonly ok: true; readonly connection: HttpsConnection }
  | { readonly ok: false; readonly failure: ReserveFailure };

export interface ConnectOptions {
  readonly timeoutMs?: number;
  /** Default: until the transport is closed. */
  readonly signal?: AbortSignal;
}

export interface HttpsReachOptions {
  readonly endpoint: Endpoint;
  readonly backendOptions: JsonObject;
  readonly connectTimeoutMs: number;
  /** How long a connection is kept that nobody uses. */
  readonly idleMs: number;
  readonly closing: AbortSignal;
}

export class HttpsReach {
  /** The backend's own address. */
  readonly own: TlsEndpoint;
  readonly #options: HttpsReachOptions;
  readonly #open = new Set<HttpsConnection>();

  constructor(options: HttpsReachOptions) {
    this.#options = options;
    this.own = ownEndpoint(options.endpoint);
  }

  /** Where a call goes; undefined: to no address of this backend. */
  targetOf(call: HttpCall): TlsEndpoint | undefined {
    return endpointOfCall(call, this.#options.endpoint, this.#options.backendOptions);
  }

  isOwn(target: TlsEndpoint): boolean {
    return originOf(target) === originOf(this.own);
  }

  /** Never rejects. The caller gives the connection up by destroying it. */
  async connect(target: TlsEndpoint, options: ConnectOptions = {}): Promise<Connected> {
    const { closing, connectTimeoutMs } = this.#options;
    const { timeoutMs = connectTimeoutMs, signal = closing } = options;
    const connected = await connectTlsEndpoint(target, { timeoutMs, signal });
    if (!connected.ok) return this.isOwn(target) ? connected : { ok: false, failure: ofAnother(connected.failure) };
    const connection = new HttpsConnection({ ...connected, origin: originOf(target), idleMs: this.#options.idleMs });
    this.#open.add(connection);
    void connection.closed.then(() => this.#open.delete(connection));
    return { ok: true, connection };
  }

  /** Destroys what is open, but for some, and waits until it is closed. */
  async destroyAll(except: ReadonlySet<HttpsConnection> = new Set()): Promise<void> {
    const given = [...this.#open].filter((connection) => !except.has(connection));
    for (const connection of given) connection.destroy();
    await Promise.all(given.map((connection) => connection.closed));
  }
}

/** What another server shows is none of the backend's: an operator must not be asked to accept it for the backend. */
function ofAnother({ presented: _presented, ...failure }: ReserveFailure): ReserveFailure {
  return failure;
}

/** Sends one call on a connection. */
export async function runCall(
  connection: HttpsConnection,
  call: HttpCall,
  session: SessionHeaders,
  options: SendOptions,
): Promise<SendResult | 'stale'> {
  const request = requestOf(call, session);
  if ('fault' in request) return failed('PROTOCOL_FAILED', `The call can't be sent: ${request.fault}.`);
  return connection.run(request, options);
}

export function unregistered(call: HttpCall) {
  return failed('PROTOCOL_FAILED', `${call.origin} is no address of this backend: nothing was sent.`);
}
