// What the threads of the trial share: the clock, the budget of requests, and the members' log.

/** For which clients ask by SNI. */
export const serverNames = ['s0.test', 's1.test', 's2.test', 's3.test'] as const;

/** Milliseconds, of one clock for all threads of the process. */
export function nowMs(): number {
  return Number(process.hrtime.bigint() / 1_000n) / 1_000;
}

/** A moment of that clock as the database tells it, for people. */
export function clockOf(ms: number): string {
  return new Date(Date.now() - nowMs() + ms).toISOString().slice(11, -1);
}

/** Indices into `Shared.budget`. */
export const issued = 0;
export const allowed = 1;

export interface Shared {
  /** How many requests were sent, and how many may be. */
  readonly budget: Int32Array;
  /** The members' log: how often the request with this nonce arrived with a method that must not be repeated. */
  readonly writes: Uint8Array;
}

export function newShared(requests: number): Shared {
  return {
    budget: new Int32Array(new SharedArrayBuffer(8)),
    writes: new Uint8Array(new SharedArrayBuffer(requests)),
  };
}

/** What a client saw; at least 0: the number of the member that answered. */
export const saw = { denied: -1, redirected: -2, closed: -3, failed: -4 } as const;

/** A request as its client logged it. */
export interface Logged {
  readonly route: number;
  /** The client has known of nothing later: the last answer on this connection, or when it was begun. */
  readonly fromMs: number;
  readonly untilMs: number;
  readonly saw: number;
  /** Of the node. */
  readonly address: string;
  /** The member whose cookie the client sent; absent: it had none. */
  readonly cookieOf?: number;
  /** For a failure: what happened. */
  readonly what?: string;
}

/** A TLS handshake as its client logged it. */
export interface Handshake {
  readonly address: string;
  readonly port: number;
  readonly serverName: string;
  readonly fromMs: number;
  readonly untilMs: number;
  /** SHA-256 of the certificate, hex. */
  readonly certificate: string;
}

/** Clients of one kind on one listener. */
export interface Flow {
  readonly id: number;
  readonly port: number;
  /** H1: connections that are kept. FRESH: one request on each. H2: one session, with several streams at a time. */
  readonly kind: 'H1' | 'FRESH' | 'H2';
  /** Names for SNI; empty: without TLS. */
  readonly serverNames: readonly string[];
  /** The load balancer passes the stream on: all of its requests go where the connection went. */
  readonly isStream: boolean;
  /** Connections or streams at a time. */
  readonly width: number;
  readonly routes: readonly { readonly id: number; readonly path: string }[];
  /** Where its clients are. */
  readonly localAddress: string;
  /** Clients keep the load balancer's cookie, one for each route. */
  readonly cookies: boolean;
  /** Pause of each client between two requests, in milliseconds. */
  readonly pauseMs: number;
}

export type ToClients =
  | { readonly do: 'open'; readonly flow: Flow }
  | { readonly do: 'close'; readonly flow: number }
  | { readonly do: 'addresses'; readonly addresses: readonly string[] };

export type FromClients =
  | { readonly is: 'logged'; readonly logged: readonly Logged[]; readonly handshakes: readonly Handshake[] }
  | { readonly is: 'closed'; readonly flow: number };

export interface ClientData {
  readonly seed: number;
  readonly shared: Shared;
  readonly addresses: readonly string[];
  /** Every so many requests of kind POST are sent twice; absent: none. For the test of the oracle. */
  readonly repeatEvery?: number;
}

export interface MemberData {
  readonly shared: Shared;
  readonly count: number;
  /** PEM: with which all members speak TLS. */
  readonly certificate: { readonly cert: string; readonly key: string };
}
