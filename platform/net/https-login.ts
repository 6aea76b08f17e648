// The login session shared by all calls of a client: one login at a time, used until its lifetime ends or the server reports that
// it has ended. Concurrent callers share one attempt with the credentials.

import type { HttpCall, HttpReply, HttpSessions } from './http.ts';
import type { SessionHeaders } from './http-request.ts';
import type { ReserveFailure, SendFailure, SendResult } from './send.ts';

/** A new session serves at least the calls that waited for it, even if the server's clock is wrong. */
const minLifetimeMs = 1_000;

export interface LoginSession extends SessionHeaders {
  /** By performance.now(). */
  readonly endsAtMs: number;
  readonly close?: HttpCall;
  /** The number of its login, in order. */
  readonly generation: number;
}

export type LoginResult =
  | { readonly ok: true; readonly session: LoginSession }
  | { readonly ok: false; readonly failure: ReserveFailure };

/** Sends the calls of a login, without session headers. Never rejects. */
export type LoginExchange = (call: HttpCall) => Promise<SendResult<HttpReply>>;

interface LoginOptions {
  /** Undefined if the server needs no session. */
  readonly sessions: HttpSessions | undefined;
  /** For messages. */
  readonly where: string;
  /** Runs one login with the connections that it needs. */
  readonly withExchange: (logIn: (exchange: LoginExchange) => Promise<LoginResult>) => Promise<LoginResult>;
}

export class SharedLogin {
  readonly #options: LoginOptions;
  #session: LoginSession | undefined;
  #running: Promise<LoginResult> | undefined;
  /** The last login, successful or not. */
  #last: { readonly generation: number; readonly result: LoginResult } | undefined;

  constructor(options: LoginOptions) {
    this.#options = options;
    if (options.sessions === undefined) this.#session = { endsAtMs: Number.POSITIVE_INFINITY, generation: 0 };
  }

  /** The session, if calls can use it now. */
  get session(): LoginSession | undefined {
    return this.#session && performance.now() < this.#session.endsAtMs ? this.#session : undefined;
  }

  /** The existing session, or a new one. */
  async ensure(): Promise<LoginResult> {
    const { session } = this;
    return session ? { ok: true, session } : this.#logIn();
  }

  /**
   * After the server refused `session`: the following session, or a new one. When the login after it failed, all callers with
   * that session get the failure, without another attempt.
   */
  async renew(session: LoginSession): Promise<LoginResult> {
    if (this.#session === session) this.#session = undefined;
    if (this.#running) return this.#running;
    if (this.#last && this.#last.generation > session.generation) return this.#last.result;
    return this.#logIn();
  }

  /** Removes the session, so that it can be closed on the server. */
  take(): LoginSession | undefined {
    const { session } = this;
    this.#session = undefined;
    return session;
  }

  #logIn(): Promise<LoginResult> {
    this.#running ??= this.#open().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #open(): Promise<LoginResult> {
    const generation = (this.#last?.generation ?? 0) + 1;
    const result = await this.#options.withExchange((exchange) => this.#ask(exchange, generation));
    this.#last = { generation, result };
    if (result.ok) this.#session = result.session;
    return result;
  }

  async #ask(exchange: LoginExchange, generation: number): Promise<LoginResult> {
    const { sessions, where } = this.#options;
    if (sessions === undefined) throw new Error('there is nothing to log in to');
    let failure: SendFailure | undefined;
    try {
      const login = await sessions.open(async (call) => {
        const sent = await exchange(call);
        if (sent.ok) return sent.reply;
        failure = sent.failure;
        throw new Error('the login was interrupted');
      });
      if (!login.ok) return failed({ kind: 'NOT_SENT', code: login.code, message: login.message });
      const { headers, writeHeaders, lifetimeMs, close } = login;
      const session = {
        headers,
        generation,
        endsAtMs: performance.now() + Math.max(lifetimeMs ?? Number.POSITIVE_INFINITY, minLifetimeMs),
        ...(writeHeaders === undefined ? {} : { writeHeaders }),
        ...(close === undefined ? {} : { close }),
      };
      return { ok: true, session };
    } catch {
      if (failure?.kind === 'NOT_SENT') return failed(failure);
      // A session may have been opened, but no call was sent.
      if (failure) return notSent('CONNECT_FAILED', `The login at ${where} failed: ${failure.message}`);
      // Unreadable text may contain a secret: it is not shown.
      return notSent('PROTOCOL_FAILED', `The answer of ${where} to the login is unreadable.`);
    }
  }
}

function failed(failure: ReserveFailure): LoginResult {
  return { ok: false, failure };
}

function notSent(code: 'CONNECT_FAILED' | 'PROTOCOL_FAILED', message: string): LoginResult {
  return failed({ kind: 'NOT_SENT', code, message });
}
