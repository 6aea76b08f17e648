// The wire as a backend's holder sees it: reserve a slot on a live session, journal SENT, then send on that slot. The rules of
// every wire are in platform/net/send.ts; this file has the relay's own calls and endpoints.
import type { EgressPolicy } from '../../../platform/net/egress.ts';
import type * as net from '../../../platform/net/send.ts';
import type { CryptoProfile } from '../../../platform/net/tls-profiles.ts';
import type {
  BackendContext,
  CliDialect,
  Credentials,
  HttpSessions,
  Reply,
  TransportKind,
  WireCall,
} from '../drivers/driver.ts';

/** A backend's address, and its expected proof of identity. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
  /** SSH: `SHA256:…` in the format of ssh-keygen -lf. If null, every key is refused. */
  readonly hostKeySha256: string | null;
  /** TLS: `SHA256:…` of the server's certificate (DER), in the same format. If null or absent, no certificate is pinned. */
  readonly certificateSha256?: string | null;
  /**
   * TLS: PEM certificates of the authorities trusted to sign the server's certificate. Without authorities and without a pin, every
   * certificate is refused.
   */
  readonly caCertificates?: string | null;
  readonly cryptoProfile: CryptoProfile;
  readonly credentials: Credentials;
}

export type SendResult = net.SendResult<Reply>;
export type Slot = net.Slot<WireCall, Reply>;
export type Reservation = net.Reservation<WireCall, Reply>;

/** `reserve` connects, so before SENT is journaled. */
export type Transport = net.Sessions<WireCall, Reply>;

export interface TransportOptions {
  readonly egress: EgressPolicy;
  /** Calls at once: the backend's concurrency. */
  readonly concurrency: number;
  readonly connectTimeoutMs?: number;
  readonly idleCloseMs?: number;
  readonly keepaliveMs?: number;
  /** SSH: the dialect of the device's command line; without it only exec calls can be sent. */
  readonly cli?: CliDialect;
  /** HTTPS: how sessions are opened. */
  readonly https?: HttpSessions;
  /** HTTPS: data for the login. */
  readonly backend?: BackendContext;
  /** HTTPS: receives the secrets of each login. */
  readonly learn?: (secrets: readonly string[]) => void;
  /** Command line: hides the backend's secrets in words that are cut before anyone else sees them. */
  readonly hide?: (text: string) => string;
}

/** Makes the transport of one wire; the real ones are in transports/factories.ts. */
export type TransportFactory = (kind: TransportKind, endpoint: Endpoint, options: TransportOptions) => Transport;
