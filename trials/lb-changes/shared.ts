// Shared between the threads of the trial: the clock, the budget of requests, and the members' log.

/** Names that clients send by SNI. */
export const serverNames = ['s0.test', 's1.test', 's2.test', 's3.test'] as const;

/** Milliseconds of one clock for all threads of the process. */
export function nowMs(): number {
  return Number(process.hrtime.bigint() / 1_000n) / 1_000;
}

/** The clock's time in the database's format, for people to read. */
export function clockOf(ms: number): string {
  return new Date(Date.now() - nowMs() + ms).toISOString().slice(11, -1);
}

/** Indices into `Shared.budget`. */
export const issued = 0;
export const allowed = 1;

export interface Shared {
  /** Number of sent requests, and the limit. */
  readonly budget: Int32Array;
  /** The members' log: how many times the request with this nonce arrived with a method that must not be repeated. */
  readonly writes: Uint8Array;
}

export function newShared(requests: number): Shared {
  return {
    budget: new Int32Array(new SharedArrayBuffer(8)),
    writes: new Uint8Array(new SharedArrayBuffer(requests)),
  };
}

/** The outcome as the client saw it. A number from 0 is the number of the member that answered. */
export const saw = { denied: -1, redirected: -2, closed: -3, failed: -4 } as const;

/** A request as its client logged it. */
export interface Logged {
  readonly route: number;
  /** The last moment whose state the client knows: the last answer on this connection, or its start. */
  readonly fromMs: number;
  readonly untilMs: number;
  readonly saw: number;
  /** Address of the node. */
  readonly address: string;
  /** The member whose cookie the client sent. Absent if it had none. */
  readonly cookieOf?: number;
  /** For a failure, a description. */
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
  /** H1: persistent connections. FRESH: each connection has one request. H2: one session with several streams at a time. */
  readonly kind: 'H1' | 'FRESH' | 'H2';
  /** Names for SNI. Empty without TLS. */
  readonly serverNames: readonly string[];
  /** Whether the load balancer passes the stream on, so that all of its requests go to the same member. */
  readonly isStream: boolean;
  /** The number of connections or streams at a time. */
  readonly width: number;
  readonly routes: readonly { readonly id: number; readonly path: string }[];
  /** The local address of its clients. */
  readonly localAddress: string;
  /** Whether clients keep the load balancer's cookies, one per route. */
  readonly cookies: boolean;
  /** The pause of each client between two requests, in milliseconds. */
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
  /** One in this many POST requests is sent twice. Absent for none. Used to test the oracle. */
  readonly repeatEvery?: number;
}

export interface MemberData {
  readonly shared: Shared;
  readonly count: number;
  /** PEM: the TLS certificate of all members. */
  readonly certificate: { readonly cert: string; readonly key: string };
}
