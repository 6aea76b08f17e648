// The sessions to one HTTPS endpoint: one login shared by all calls, on pooled connections. Requests are never repeated and
// redirects never followed, with one exception: a call that the server refused unprocessed because the login session had ended is
// sent again.

import type { EgressPolicy } from './egress.ts';
import type { HttpCall, HttpReply, HttpSessions } from './http.ts';
import type { HttpsConnection } from './https-connection.ts';
import { type LoginExchange, type LoginResult, type LoginSession, SharedLogin } from './https-login.ts';
import { HttpsPool } from './https-pool.ts';
import { HttpsReach, runCall, unregistered } from './https-reach.ts';
import { originOf } from './origin.ts';
import {
  failed,
  isAllowed,
  type Reservation,
  type SendOptions,
  type SendResult,
  type Sessions,
  type Slot,
} from './send.ts';
import type { TlsEndpoint } from './tls-endpoint.ts';

/**
 * Servers close idle connections (Apache and Node after 5 s), and a call at that moment has no outcome: so this side closes them
 * first.
 */
const longestIdleMs = 4_000;
/** Deadline for ending the login session when the client is closed. */
const logoutMs = 2_000;

interface HttpsClientOptions {
  readonly endpoint: TlsEndpoint;
  /** For every connection, to any origin. */
  readonly egress: EgressPolicy;
  /** Concurrent calls. */
  readonly concurrency: number;
  /** If absent, calls need no login. */
  readonly sessions?: HttpSessions | undefined;
  /** Other origins that calls may name. Nothing in a server's answer can direct a call elsewhere. */
  readonly others?: readonly TlsEndpoint[];
  readonly connectTimeoutMs?: number | undefined;
  /** At most 4 s. */
  readonly idleCloseMs?: number | undefined;
}

type HttpSlot = Slot<HttpCall, HttpReply>;
type HttpResult = SendResult<HttpReply>;

/** Connects only when a slot is requested. */
export class HttpsClient implements Sessions<HttpCall, HttpReply> {
  readonly #where: string;
  readonly #sessions: HttpSessions | undefined;
  readonly #connectTimeoutMs: number;
  readonly #reach: HttpsReach;
  readonly #login: SharedLogin;
  readonly #pool: HttpsPool;
  readonly #closing = new AbortController();
  #closed: Promise<void> | undefined;

  constructor(options: HttpsClientOptions) {
    const { endpoint, egress, others = [], concurrency, sessions } = options;
    const { connectTimeoutMs = 10_000, idleCloseMs = longestIdleMs } = options;
    this.#where = `${endpoint.host}:${endpoint.port}`;
    this.#sessions = sessions;
    this.#connectTimeoutMs = connectTimeoutMs;
    this.#reach = new HttpsReach({
      endpoint,
      egress,
      others,
      connectTimeoutMs,
      idleMs: Math.min(idleCloseMs, longestIdleMs),
      closing: this.#closing.signal,
    });
    this.#login = new SharedLogin({
      sessions,
      where: this.#where,
      withExchange: (logIn) => this.#withExchange(logIn),
    });
    this.#pool = new HttpsPool({
      concurrency,
      connect: () => this.#reach.connect(this.#reach.own),
      ready: () => this.#login.session !== undefined,
      prepare: async () => {
        const login = await this.#login.ensure();
        return login.ok ? undefined : login.failure;
      },
    });
  }

  tryReserve(): HttpSlot | undefined {
    const connection = this.#pool.tryTake();
    return connection && this.#slotOn(connection, true);
  }

  reserve(options: { readonly signal?: AbortSignal } = {}): Promise<Reservation<HttpCall, HttpReply>> {
    return this.#reserve(options.signal, true);
  }

  async send(call: HttpCall, options: SendOptions): Promise<HttpResult> {
    const reservation = await this.reserve(options.signal ? { signal: options.signal } : {});
    return reservation.ok ? reservation.slot.send(call, options) : reservation;
  }

  state() {
    return this.#pool.state();
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    this.#closing.abort();
    const resting = this.#pool.close();
    await this.#reach.destroyAll(resting);
    await this.#logOut([...resting].find((connection) => !connection.lost));
    await this.#reach.destroyAll();
  }

  async #reserve(signal: AbortSignal | undefined, replaceable: boolean): Promise<Reservation<HttpCall, HttpReply>> {
    const taken = await this.#pool.take(signal);
    return taken.ok ? { ok: true, slot: this.#slotOn(taken.connection, replaceable) } : taken;
  }

  /** `replaceable`: the slot may get another connection if the first one is lost before the first byte. */
  #slotOn(connection: HttpsConnection, replaceable: boolean): HttpSlot {
    let used = false;
    return {
      send: async (call, options) => {
        if (used) return failed('CLOSED', 'The slot was used already.');
        used = true;
        // A caller with several wires may pass a call of another one.
        const result = call.kind === 'http' ? await this.#carry(connection, call, options) : notHttp;
        this.#pool.giveBack(connection);
        if (result !== 'stale') return result;
        if (!replaceable)
          return failed('CONNECT_FAILED', `${this.#where} closed two connections before the first byte.`);
        return this.#sendElsewhere(call, options);
      },
      release: () => {
        if (used) return;
        used = true;
        this.#pool.giveBack(connection);
      },
    };
  }

  /** The connection was lost between the reservation and the first byte: nothing was sent, so one more is tried. */
  async #sendElsewhere(call: HttpCall, options: SendOptions): Promise<HttpResult> {
    const reservation = await this.#reserve(options.signal, false);
    return reservation.ok ? reservation.slot.send(call, options) : reservation;
  }

  async #carry(connection: HttpsConnection, call: HttpCall, options: SendOptions): Promise<HttpResult | 'stale'> {
    // The session may have ended since the reservation.
    const login = await this.#login.ensure();
    if (!login.ok) return login;
    const first = await this.#run(connection, call, login.session, options);
    if (first === 'stale' || !first.ok || first.reply.truncated) return first;
    if (this.#sessions?.refusedSession(first.reply) !== true) return first;
    const endsAtMs = performance.now() - first.elapsedMs + options.deadlineMs;
    const again = await this.#carryAgain(connection, call, login.session, endsAtMs, options);
    const elapsedMs = performance.now() - endsAtMs + options.deadlineMs;
    return again.ok ? { ...again, elapsedMs } : again;
  }

  /** The server did nothing, because the session had ended. The reply to the second attempt is final. */
  async #carryAgain(
    connection: HttpsConnection,
    call: HttpCall,
    refused: LoginSession,
    endsAtMs: number,
    { maxReplyBytes, beforeFirstByte }: SendOptions,
  ): Promise<HttpResult> {
    const leftMs = () => Math.ceil(endsAtMs - performance.now());
    const late = failed('SESSION_REFUSED', `${this.#where} ended the session, and a new one was opened too late.`);
    const renewed = await this.#login.renew(refused);
    if (!renewed.ok) return renewed;
    if (leftMs() <= 0) return late;
    const connected = connection.lost
      ? await this.#reach.connect(this.#reach.own, { timeoutMs: leftMs() })
      : { ok: true as const, connection };
    if (!connected.ok) return connected;
    if (leftMs() <= 0) return late;
    const result = await this.#run(connected.connection, call, renewed.session, {
      deadlineMs: leftMs(),
      ...(maxReplyBytes === undefined ? {} : { maxReplyBytes }),
      // Checked again: the process may have been paused since, and others may call the backend now.
      ...(beforeFirstByte === undefined ? {} : { beforeFirstByte }),
    });
    if (connected.connection !== connection) connected.connection.destroy();
    if (result !== 'stale') return result;
    return failed('CONNECT_FAILED', `${this.#where} closed the connection after it ended the session.`);
  }

  /** Sends the guard of the call first, if it has one. Both use one connection, so that the server can't reboot between them. */
  async #run(
    connection: HttpsConnection,
    call: HttpCall,
    session: LoginSession,
    options: SendOptions,
  ): Promise<HttpResult | 'stale'> {
    const { guard, origin } = call;
    if (guard === undefined) return this.#runOne(connection, call, session, options);
    const { beforeFirstByte: _ofTheCall, ...ofRead } = options;
    const read: HttpCall = {
      kind: 'http',
      method: guard.body === undefined ? 'GET' : 'POST',
      path: guard.path,
      ...(guard.body === undefined ? {} : { body: guard.body }),
      ...(origin === undefined ? {} : { origin }),
    };
    const looked = await this.#runOne(connection, read, session, ofRead);
    if (looked === 'stale') return looked;
    if (!looked.ok) return failed('CONNECT_FAILED', `The read before the call failed: ${looked.failure.message}`);
    const { reply, elapsedMs } = looked;
    if (this.#sessions?.refusedSession(reply) === true && !reply.truncated) return looked;
    if (reply.truncated || !isAllowed(guard, reply)) return { ...looked, reply: { ...reply, unsent: true } };
    const deadlineMs = Math.ceil(options.deadlineMs - elapsedMs);
    if (deadlineMs <= 0) return failed('CONNECT_FAILED', 'The read before the call took until the deadline.');
    const sent = await this.#runOne(connection, call, session, { ...options, deadlineMs });
    return sent !== 'stale' && sent.ok ? { ...sent, elapsedMs: sent.elapsedMs + elapsedMs } : sent;
  }

  /** On the slot's connection, or on a separate one when the call is for another origin. */
  async #runOne(
    connection: HttpsConnection,
    call: HttpCall,
    session: LoginSession,
    options: SendOptions,
  ): Promise<HttpResult | 'stale'> {
    const target = this.#reach.targetOf(call);
    if (!target) return unregistered(call);
    if (this.#reach.isOwn(target)) return runCall(connection, call, session, options);
    const connected = await this.#reach.connect(target);
    if (!connected.ok) return connected;
    const result = await runCall(connected.connection, call, session, options);
    connected.connection.destroy();
    return result;
  }

  /**
   * Connections for one login: one to each origin that it calls. The one to the client's own endpoint is kept for the following
   * calls.
   */
  async #withExchange(logIn: (exchange: LoginExchange) => Promise<LoginResult>): Promise<LoginResult> {
    const endsAtMs = performance.now() + this.#connectTimeoutMs;
    const opened = new Map<string, HttpsConnection>();
    const exchange: LoginExchange = async (call) => {
      const target = this.#reach.targetOf(call);
      if (!target) return unregistered(call);
      const leftMs = () => Math.max(1, Math.ceil(endsAtMs - performance.now()));
      const known = opened.get(originOf(target));
      const connected =
        known && !known.lost
          ? { ok: true as const, connection: known }
          : await this.#reach.connect(target, { timeoutMs: leftMs() });
      if (!connected.ok) return connected;
      opened.set(originOf(target), connected.connection);
      const result = await runCall(connected.connection, call, {}, { deadlineMs: leftMs() });
      return result === 'stale' ? failed('CONNECT_FAILED', `${this.#where} closed the connection.`) : result;
    };
    const result = await logIn(exchange);
    for (const [origin, connection] of opened) {
      if (origin === originOf(this.#reach.own)) this.#pool.adopt(connection);
      else connection.destroy();
    }
    return result;
  }

  /** Ends the session, in bounded time; the result does not matter. */
  async #logOut(resting: HttpsConnection | undefined): Promise<void> {
    const session = this.#login.take();
    const target = session?.close && this.#reach.targetOf(session.close);
    if (!session?.close || !target) return;
    const never = new AbortController().signal;
    const connected =
      resting && this.#reach.isOwn(target)
        ? { ok: true as const, connection: resting }
        : await this.#reach.connect(target, { timeoutMs: logoutMs, signal: never });
    if (connected.ok) await runCall(connected.connection, session.close, session, { deadlineMs: logoutMs });
  }
}

const notHttp: HttpResult = failed('PROTOCOL_FAILED', 'Only HTTP calls can be sent over HTTPS.');
