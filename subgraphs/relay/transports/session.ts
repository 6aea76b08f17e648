// The wire as the backend manager sees it: reserve a slot on a live session, journal SENT, then send on that slot.
// Nothing here rejects: a failure says for certain whether the device can have got a byte of the call.

import type {
  BackendContext,
  CliDialect,
  Credentials,
  HttpSessions,
  Reply,
  TransportKind,
  WireCall,
} from '../drivers/driver.ts';

export type CryptoProfile = 'MODERN' | 'COMPAT' | 'LEGACY';

/** Where a backend is, and how it proves itself. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
  /** SSH: `SHA256:…` as ssh-keygen -lf prints it; null: every key is refused. */
  readonly hostKeySha256: string | null;
  /** TLS: `SHA256:…` of the server's certificate (DER), in the same form; null or absent: no certificate is pinned. */
  readonly certificateSha256?: string | null;
  /** TLS: PEM certificates of who may vouch for the server; without them and without a pin every certificate is refused. */
  readonly caCertificates?: string | null;
  readonly cryptoProfile: CryptoProfile;
  readonly credentials: Credentials;
}

/** Why not a byte of the call was given to the kernel. */
export type NotSentCode =
  /** No TCP connection, or the peer broke off before log-in. */
  | 'CONNECT_FAILED'
  /** No common algorithms, or the peer does not speak the protocol. */
  | 'PROTOCOL_FAILED'
  /** The credentials are refused: never tried again by the transport. */
  | 'AUTH_FAILED'
  /** The device showed another key than the pinned one; `presented` has it. */
  | 'HOST_KEY_MISMATCH'
  /** No key is pinned; `presented` has the device's. */
  | 'HOST_KEY_UNKNOWN'
  /** The device showed another certificate than the pinned one; `presented` has it. */
  | 'CERTIFICATE_MISMATCH'
  /** Neither a certificate nor who may vouch for it is known; `presented` has the device's. */
  | 'CERTIFICATE_UNKNOWN'
  /** The certificate has expired, is for another name, or nobody known vouches for it; `presented` has it. */
  | 'CERTIFICATE_INVALID'
  /** The device gives no further session now. */
  | 'SESSION_REFUSED'
  /** The device refused a channel on two connections, or answered the exec request with no. */
  | 'CHANNEL_REFUSED'
  /** `beforeFirstByte` said no. */
  | 'WINDOW_PASSED'
  /** The signal was aborted before the first byte. */
  | 'ABORTED'
  /** The transport was closed. */
  | 'CLOSED';

export type SendFailure =
  | {
      readonly kind: 'NOT_SENT';
      readonly code: NotSentCode;
      readonly message: string;
      /** The fingerprint that the device showed, for the HOST_KEY and CERTIFICATE codes. */
      readonly presented?: string;
    }
  /** The call may have been carried out. */
  | { readonly kind: 'NO_VERDICT'; readonly code: 'NO_REPLY' | 'CONNECTION_LOST'; readonly message: string };

/** Failures of a reservation: always NOT_SENT. */
export type ReserveFailure = Extract<SendFailure, { kind: 'NOT_SENT' }>;

export type SendResult =
  | { readonly ok: true; readonly reply: Reply; readonly elapsedMs: number }
  | { readonly ok: false; readonly failure: SendFailure };

export interface SendOptions {
  /**
   * From the first byte; past it the call ends with NO_REPLY, at most 1 s later, when this machine sends nothing of it any
   * more. What the network holds may arrive a few seconds later still.
   */
  readonly deadlineMs: number;
  /** Default 1 MiB, stdout and stderr together. */
  readonly maxReplyBytes?: number;
  /**
   * Called synchronously, right before the first byte of the call is given to the kernel; once, or once more before a call
   * that the device refused unread is sent again. When it returns false nothing is sent: WINDOW_PASSED.
   */
  readonly beforeFirstByte?: () => boolean;
  /** Ends a call only before its first byte; after it the deadline alone does. */
  readonly signal?: AbortSignal;
}

/** A place for one call on a live, logged-in session. Send once, or release. */
export interface Slot {
  send(call: WireCall, options: SendOptions): Promise<SendResult>;
  /** Gives the slot back unused; nothing happens after send. */
  release(): void;
}

export type Reservation =
  | { readonly ok: true; readonly slot: Slot }
  | { readonly ok: false; readonly failure: ReserveFailure };

/** The sessions to one endpoint. A changed endpoint (host, key, credentials) is a new transport. */
export interface Transport {
  /** A slot if one is free on a live session now; connects nothing. */
  tryReserve(): Slot | undefined;
  /** Waits for a free slot, connecting when need be; connecting happens here, so before SENT is journaled. */
  reserve(options?: { readonly signal?: AbortSignal }): Promise<Reservation>;
  /** Reserve and send, for reads and checks. */
  send(call: WireCall, options: SendOptions): Promise<SendResult>;
  state(): { readonly sessions: number; readonly channels: number };
  /** Destroys what is open (calls on the wire end CONNECTION_LOST) and leaves nothing. */
  close(): Promise<void>;
}

export interface TransportOptions {
  /** Calls at once: the backend's concurrency. */
  readonly concurrency: number;
  readonly connectTimeoutMs?: number;
  readonly idleCloseMs?: number;
  readonly keepaliveMs?: number;
  /** SSH: how to speak to the device's command line; without it only exec calls can be sent. */
  readonly cli?: CliDialect;
  /** HTTPS: how sessions are opened. */
  readonly https?: HttpSessions;
  /** HTTPS: what a log-in may need to know. */
  readonly backend?: BackendContext;
}

/** Makes the transport of one wire; the real ones are in transports/factories.ts. */
export type TransportFactory = (kind: TransportKind, endpoint: Endpoint, options: TransportOptions) => Transport;
