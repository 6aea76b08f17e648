// Opens the connections of a client, only to the endpoints that it was made for, and knows all that are open.

import type { HttpCall, HttpReply } from './http.ts';
import { requestOf, type SessionHeaders } from './http-request.ts';
import { HttpsConnection } from './https-connection.ts';
import { addressOfUrl, originOf } from './origin.ts';
import { failed, type ReserveFailure, type SendOptions, type SendResult } from './send.ts';
import { connectTlsEndpoint, type TlsEndpoint } from './tls-endpoint.ts';

export type Connected =
  | { readonly ok: true; readonly connection: HttpsConnection }
  | { readonly ok: false; readonly failure: ReserveFailure };

export interface ConnectOptions {
  readonly timeoutMs?: number;
  /** Default: until the client is closed. */
  readonly signal?: AbortSignal;
}

export interface HttpsReachOptions {
  readonly endpoint: TlsEndpoint;
  /** Where else a call may go that names an origin. */
  readonly others: readonly TlsEndpoint[];
  readonly connectTimeoutMs: number;
  /** How long a connection is kept that nobody uses. */
  readonly idleMs: number;
  readonly closing: AbortSignal;
}

export class HttpsReach {
  /** Where a call goes that names no origin. */
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
    // Of two with one origin the first counts, and the client's own before all others.
    const targets = [...options.others].reverse().map((each) => [originOf(each), each] as const);
    this.#targets = new Map([...targets, [this.#ownOrigin, this.own]]);
  }

  /** Where a call goes; undefined: nowhere, the client was not made for its origin. */
  targetOf(call: HttpCall): TlsEndpoint | undefined {
    if (call.origin === undefined) return this.own;
    const address = addressOfUrl(call.origin);
    return address && this.#targets.get(originOf(address));
  }

  isOwn(target: TlsEndpoint): boolean {
    return target === this.own || originOf(target) === this.#ownOrigin;
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

/** What another server shows is not the endpoint's: an operator must not be asked to accept it there. */
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
