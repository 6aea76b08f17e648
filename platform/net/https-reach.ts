// Opens a client's connections, only to the endpoints given to it, and tracks all open ones.

import type { EgressPolicy } from './egress.ts';
import type { HttpCall, HttpReply } from './http.ts';
import { requestOf, type SessionHeaders } from './http-request.ts';
import { HttpsConnection } from './https-connection.ts';
import { addressOfUrl, originOf } from './origin.ts';
import { failed, type ReserveFailure, type SendOptions, type SendResult } from './send.ts';
import { connectTlsEndpoint, type TlsEndpoint } from './tls-endpoint.ts';

export type Connected =
  | { readonly ok: true; readonly connection: HttpsConnection }
  | { readonly ok: false; readonly failure: ReserveFailure };

interface ConnectOptions {
  readonly timeoutMs?: number;
  /** Default: until the client is closed. */
  readonly signal?: AbortSignal;
}

interface HttpsReachOptions {
  readonly endpoint: TlsEndpoint;
  /** Other endpoints for calls that name an origin. */
  readonly others: readonly TlsEndpoint[];
  readonly egress: EgressPolicy;
  readonly connectTimeoutMs: number;
  /** How long an idle connection is kept. */
  readonly idleMs: number;
  readonly closing: AbortSignal;
}

export class HttpsReach {
  /** The endpoint of calls that name no origin. */
  readonly own: TlsEndpoint;
  readonly #ownOrigin: string;
  /** By origin. */
  readonly #targets: ReadonlyMap<string, TlsEndpoint>;
  readonly #options: HttpsReachOptions;
  readonly #open = new Set<HttpsConnection>();

  constructor(options: HttpsReachOptions) {
    this.#options = options;
    this.own = options.endpoint;
    this.#ownOrigin = originOf(options.endpoint);
    // The first of two with the same origin counts, and the client's own comes before all others.
    const targets = [...options.others].reverse().map((each) => [originOf(each), each] as const);
    this.#targets = new Map([...targets, [this.#ownOrigin, this.own]]);
  }

  /** The endpoint of a call. Undefined if its origin is not one of the client's origins. */
  targetOf(call: HttpCall): TlsEndpoint | undefined {
    if (call.origin === undefined) return this.own;
    const address = addressOfUrl(call.origin);
    return address && this.#targets.get(originOf(address));
  }

  isOwn(target: TlsEndpoint): boolean {
    return target === this.own || originOf(target) === this.#ownOrigin;
  }

  /** Never rejects. The caller ends the connection by destroying it. */
  async connect(target: TlsEndpoint, options: ConnectOptions = {}): Promise<Connected> {
    const { closing, connectTimeoutMs, egress } = this.#options;
    const { timeoutMs = connectTimeoutMs, signal = closing } = options;
    const connected = await connectTlsEndpoint(target, { egress, timeoutMs, signal });
    if (!connected.ok) return this.isOwn(target) ? connected : { ok: false, failure: ofAnother(connected.failure) };
    const connection = new HttpsConnection({ ...connected, origin: originOf(target), idleMs: this.#options.idleMs });
    this.#open.add(connection);
    void connection.closed.then(() => this.#open.delete(connection));
    return { ok: true, connection };
  }

  /** Destroys the open connections, except some, and waits until they are closed. */
  async destroyAll(except: ReadonlySet<HttpsConnection> = new Set()): Promise<void> {
    const given = [...this.#open].filter((connection) => !except.has(connection));
    for (const connection of given) connection.destroy();
    await Promise.all(given.map((connection) => connection.closed));
  }
}

/** The certificate of another server is not the endpoint's: an operator must not be asked to accept it for the endpoint. */
function ofAnother({ presented: _presented, ...failure }: ReserveFailure): ReserveFailure {
  return failure;
}

/** Sends one call on a connection. */
export async function runCall(
  connection: HttpsConnection,
  call: HttpCall,
  session: SessionHeaders,
  options: SendOptions,
): Promise<SendResult<HttpReply> | 'stale'> {
  const request = requestOf(call, session);
  if ('fault' in request) return failed('PROTOCOL_FAILED', `The call can't be sent: ${request.fault}.`);
  return connection.run(request, options);
}

export function unregistered(call: HttpCall) {
  return failed('PROTOCOL_FAILED', `Calls to ${call.origin} are not allowed here. Nothing was sent.`);
}
