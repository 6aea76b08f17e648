// A TCP connection and a TLS handshake on it, without a decision about the server's certificate: OpenSSL has checked its chain,
// and the caller must evaluate it (see tls-endpoint.ts). Node's `rejectUnauthorized` would skip pins and hide reasons.

import { isIP } from 'node:net';
import { connect as connectTls, createSecureContext, type SecureContext, type TLSSocket } from 'node:tls';
import { dial, EgressDeniedError } from './dial.ts';
import type { EgressPolicy } from './egress.ts';
import { keyCostFault } from './private-key-cost.ts';
import { type CryptoProfile, tlsProfileOf } from './tls-profiles.ts';
import { TcpSocket } from './tls-tcp-socket.ts';

interface HandshakeOptions {
  readonly host: string;
  readonly port: number;
  readonly egress: EgressPolicy;
  readonly cryptoProfile: CryptoProfile;
  /** PEM. Null if no authority is trusted, so the chain is not verified. */
  readonly caCertificates: string | null;
  readonly client?: ClientIdentity;
  readonly signal: AbortSignal;
}

/** For servers that ask for a certificate. PEM. */
export interface ClientIdentity {
  readonly certificate: string;
  readonly privateKey: string;
  readonly passphrase?: string;
}

type Handshake =
  | { readonly ok: true; readonly socket: TLSSocket }
  | {
      readonly ok: false;
      /** Where it failed: the local settings, the egress policy, TCP, a peer that closed, or TLS itself. */
      readonly phase: 'settings' | 'denied' | 'connecting' | 'broken off' | 'handshake';
      /** Without a full stop. */
      readonly reason: string;
    };

/**
 * Never rejects. When `ok`, the caller owns the socket; its `destroy` resets the connection, and it must not be ended otherwise.
 */
export async function handshake(options: HandshakeOptions): Promise<Handshake> {
  const { host, port, egress, signal } = options;
  if (signal.aborted) return { ok: false, phase: 'connecting', reason: 'given up' };
  let secureContext: SecureContext;
  try {
    secureContext = contextOf(options);
  } catch (error) {
    return { ok: false, phase: 'settings', reason: reasonOf(error) };
  }
  return new Promise((resolve) => {
    const tcp = new TcpSocket();
    let socket: TLSSocket | undefined;
    let done = false;
    const finish = (result: Handshake) => {
      if (done) return;
      done = true;
      signal.removeEventListener('abort', onAbort);
      if (!result.ok) (socket ?? tcp).destroy();
      resolve(result);
    };
    const onAbort = () => finish({ ok: false, phase: socket ? 'broken off' : 'connecting', reason: 'given up' });
    signal.addEventListener('abort', onAbort, { once: true });
    tcp.setNoDelay(true);
    // The listeners stay: a later error must not become an unhandled 'error'.
    tcp.on('error', (error) => {
      const before = error instanceof EgressDeniedError ? 'denied' : 'connecting';
      finish({ ok: false, phase: socket ? 'broken off' : before, reason: reasonOf(error) });
    });
    tcp.once('connect', () => {
      socket = connectTls({
        socket: tcp,
        secureContext,
        host,
        // RFC 6066 section 3: an address is not a valid server name.
        ...(isIP(host) === 0 ? { servername: host } : {}),
        ALPNProtocols: ['http/1.1'],
        rejectUnauthorized: false,
        checkServerIdentity: () => undefined,
      });
      socket.on('error', (error: NodeJS.ErrnoException) => finish(failureOf(error)));
      socket.once('close', () => finish({ ok: false, phase: 'broken off', reason: 'the peer closed the connection' }));
      socket.once('secureConnect', () => socket && finish({ ok: true, socket }));
    });
    dial(egress, { host, port }, tcp);
  });
}

function contextOf({ cryptoProfile, caCertificates, client }: HandshakeOptions): SecureContext {
  const tooCostly = client && keyCostFault(client.privateKey);
  if (tooCostly !== undefined) throw new Error(tooCostly);
  return createSecureContext({
    ...tlsProfileOf(cryptoProfile),
    // An empty list: only the backend's authorities count, and loading all others takes time.
    ca: caCertificates ?? [],
    // An operator may name an intermediate authority, or the server's certificate itself.
    allowPartialTrustChain: true,
    ...(client === undefined ? {} : { cert: client.certificate, key: client.privateKey }),
    ...(client?.passphrase === undefined ? {} : { passphrase: client.passphrase }),
  });
}

/** TLS failures have an OpenSSL reason; the rest are connection failures. */
function failureOf(error: NodeJS.ErrnoException): Handshake {
  const isTls = error.code === 'EPROTO' || error.code?.startsWith('ERR_SSL_') === true;
  return { ok: false, phase: isTls ? 'handshake' : 'broken off', reason: reasonOf(error) };
}

/** OpenSSL surrounds its message with numbers and file names: `…:error:0A000102:SSL routines::unsupported protocol:…`. */
function reasonOf(error: unknown): string {
  const { reason, message } = error as { readonly reason?: unknown; readonly message?: unknown };
  return typeof reason === 'string' ? reason : String(message ?? error);
}
