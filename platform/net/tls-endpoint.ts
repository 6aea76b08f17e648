// Opens a TLS connection to an endpoint and verifies the server, or gives the exact reason of a failure. The certificate is
// verified after the handshake, before any byte of the protocol on top.

import type { TLSSocket } from 'node:tls';
import type { EgressPolicy } from './egress.ts';
import { failed, type ReserveFailure } from './send.ts';
import { certificateFault, type Trust } from './tls-certificate.ts';
import { type ClientIdentity, handshake } from './tls-handshake.ts';
import type { CryptoProfile } from './tls-profiles.ts';

export interface TlsEndpoint extends Trust {
  readonly port: number;
  readonly cryptoProfile: CryptoProfile;
  readonly client?: ClientIdentity;
}

type TlsConnection =
  | { readonly ok: true; readonly socket: TLSSocket }
  | { readonly ok: false; readonly failure: ReserveFailure };

/**
 * Never rejects. When `ok`, the caller owns the socket; its `destroy` resets the connection, and it must not be ended otherwise.
 */
export async function connectTlsEndpoint(
  endpoint: TlsEndpoint,
  options: {
    readonly egress: EgressPolicy;
    /** From the TCP connection to the end of the handshake. */
    readonly timeoutMs: number;
    readonly signal: AbortSignal;
  },
): Promise<TlsConnection> {
  const where = `${endpoint.host}:${endpoint.port}`;
  const timeout = AbortSignal.timeout(options.timeoutMs);
  const signal = AbortSignal.any([options.signal, timeout]);
  const shaken = await handshake({ ...endpoint, egress: options.egress, signal });
  if (options.signal.aborted) {
    if (shaken.ok) shaken.socket.destroy();
    return failed('ABORTED', `The connection to ${where} was cancelled.`);
  }
  if (!shaken.ok) {
    const reason = timeout.aborted ? `no answer within ${options.timeoutMs} ms` : shaken.reason;
    switch (shaken.phase) {
      case 'settings':
        return failed('AUTH_FAILED', `The client certificate or key for ${where} can't be used: ${reason}.`);
      case 'denied':
        return failed('EGRESS_DENIED', `${where} may not be connected to: ${reason}.`);
      case 'connecting':
        return failed('CONNECT_FAILED', `${where} can't be reached: ${reason}.`);
      case 'broken off':
        return failed('CONNECT_FAILED', `The TLS handshake with ${where} broke off: ${reason}.`);
      case 'handshake':
        return failed(
          'PROTOCOL_FAILED',
          `The TLS handshake with ${where} failed (profile ${endpoint.cryptoProfile}): ${reason}.`,
        );
    }
  }
  const fault = certificateFault(shaken.socket, endpoint, where);
  if (fault === undefined) return shaken;
  shaken.socket.destroy();
  const { code, message, presented } = fault;
  return { ok: false, failure: { kind: 'NOT_SENT', code, message, presented } };
}
