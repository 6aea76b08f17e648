// A TCP connection and a TLS handshake on it, with nothing decided about the server's certificate: OpenSSL has checked its
// chain, but a caller has to look (tls-endpoint.ts does). Node's `rejectUnauthorized` would skip pins and hide reasons.

import { isIP } from 'node:net';
import { connect as connectTls, createSecureContext, type SecureContext, type TLSSocket } from 'node:tls';
import { type CryptoProfile, tlsProfileOf } from './tls-profiles.ts';
import { TcpSocket } from './tls-tcp-socket.ts';

export interface HandshakeOptions {
  readonly host: string;
  readonly port: number;
  readonly cryptoProfile: CryptoProfile;
  /** PEM; null: nobody is known, the chain is not proved. */
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

export type Handshake =
  | { readonly ok: true; readonly socket: TLSSocket }
  | {
      readonly ok: false;
      /** Where it ended: our own settings, TCP, a peer that broke off, or TLS itself. */
      readonly phase: 'settings' | 'connecting' | 'broken off' | 'handshake';
      /** Without a full stop. */
      readonly reason: string;
    };

/** Never rejects. When `ok`, the caller owns the socket, whose `destroy` resets the connection; it is never to be ended. */
export async function handshake(options: HandshakeOptions): Promise<Handshake> {
  const { host, port, signal } = options;
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
    tcp.connect({ host, port });
    // The listeners stay: what comes after a verdict must not become an unhandled 'error'.
    tcp.on('error', (error) =>
      finish({ ok: false, phase: socket ? 'broken off' : 'connecting', reason: reasonOf(error) }),
    );
    tcp.once('connect', () => {
      socket = connectTls({
        socket: tcp,
        secureContext,
        host,
        // RFC 6066 section 3: an address is no server name.
        ...(isIP(host) === 0 ? { servername: host } : {}),
        ALPNProtocols: ['http/1.1'],
        rejectUnauthorized: false,
        checkServerIdentity: () => undefined,
      });
      socket.on('error', (error: NodeJS.ErrnoException) => finish(failureOf(error)));
      socket.once('close', () => finish({ ok: false, phase: 'broken off', reason: 'the peer closed the connection' }));
      socket.once('secureConnect', () => socket && finish({ ok: true, socket }));
    });
  });
}

function contextOf({ cryptoProfile, caCertificates, client }: HandshakeOptions): SecureContext {
  return createSecureContext({
    ...tlsProfileOf(cryptoProfile),
    // An empty list: no authority but those of the backend, and not the time to load all others.
    ca: caCertificates ?? [],
    // An operator may name an intermediate authority, or the server's certificate itself.
    allowPartialTrustChain: true,
    ...(client === undefined ? {} : { cert: client.certificate, key: client.privateKey }),
    ...(client?.passphrase === undefined ? {} : { passphrase: client.passphrase }),
  });
}

/** TLS's own failures have an OpenSSL reason; the rest are the connection's. */
function failureOf(error: NodeJS.ErrnoException): Handshake {
  const isTls = error.code === 'EPROTO' || error.code?.startsWith('ERR_SSL_') === true;
  return { ok: false, phase: isTls ? 'handshake' : 'broken off', reason: reasonOf(error) };
}

/** OpenSSL puts numbers and file names around what it has to say: `…:error:0A000102:SSL routines::unsupported protocol:…`. */
function reasonOf(error: unknown): string {
  const { reason, message } = error as { readonly reason?: unknown; readonly message?: unknown };
  return typeof reason === 'string' ? reason : String(message ?? error);
}
