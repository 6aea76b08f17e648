// HTTP calls as values: the request, the reply, and how a session is opened.

import type { JsonValue } from '../values/json.ts';

/** One request over HTTPS; session headers are added by the client. */
export interface HttpCall {
  readonly kind: 'http';
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Begins with `/`, percent-encoded, with its query. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly body?: JsonValue;
  /** Sent as application/x-www-form-urlencoded; logins only. */
  readonly form?: Readonly<Record<string, string>>;
  /** Another origin, for example `https://keystone.example:5000`: only one that was given to the client. */
  readonly origin?: string;
  /** The call is sent only if a read, directly before it on the same connection, allows it. */
  readonly guard?: HttpGuard;
}

/** For servers without conditional requests. The client runs it again each time that it sends the call. */
interface HttpGuard {
  /** Like HttpCall's. */
  readonly path: string;
  /** If given, the read is a POST of it; otherwise it is a GET. */
  readonly body?: JsonValue;
  allows(reply: HttpReply): boolean;
}

/** Bounded by the client; `truncated`: it was longer, and the rest was not read. */
export interface HttpReply {
  readonly kind: 'http';
  readonly status: number;
  /** Names in lower case; repeated headers are joined with `, ` (set-cookie: with a line feed). */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly truncated: boolean;
  /** The client's word, not the server's: this is the reply to the guard of the call, of which nothing was sent. */
  readonly unsent?: true;
}

export type HttpLogin =
  | {
      readonly ok: true;
      /** Sent with every call. */
      readonly headers: Readonly<Record<string, string>>;
      /** Sent with every call but GET: CSRF tokens. */
      readonly writeHeaders?: Readonly<Record<string, string>>;
      /** After it the transport logs in again before the next call. */
      readonly lifetimeMs?: number;
      /** Closes the session on the device. */
      readonly close?: HttpCall;
    }
  | {
      readonly ok: false;
      /** AUTH_FAILED is never retried automatically; SESSION_REFUSED: no session is free now. */
      readonly code: 'AUTH_FAILED' | 'PROTOCOL_FAILED' | 'SESSION_REFUSED';
      readonly message: string;
    };

/** How a server's sessions are opened. Unlike a call, a login may be an exchange in which requests depend on replies. */
export interface HttpSessions {
  open(exchange: (call: HttpCall) => Promise<HttpReply>): Promise<HttpLogin>;
  /** True when the server did nothing because the session has ended: the client logs in once and sends the call again. */
  refusedSession(reply: HttpReply): boolean;
}
