// Server certificates: their fingerprints, their verification, and reading the one that a server presents now, for an operator to
// compare and accept.

import { createHash, type X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { EgressPolicy } from './egress.ts';
import type { NotSentCode } from './send.ts';
import { handshake } from './tls-handshake.ts';
import type { CryptoProfile } from './tls-profiles.ts';
import { UnreadProofError } from './unread-proof.ts';

/** Requirements on a server's certificate. All given conditions must hold. Without any, every certificate is refused. */
export interface Trust {
  /** The name or address that is connected to. */
  readonly host: string;
  readonly certificateSha256: string | null;
  readonly caCertificates: string | null;
}

interface ServerCertificate {
  /** `SHA256:…`, unpadded base64, of the certificate in DER. */
  readonly sha256: string;
  /** As in the certificate, one attribute a line. */
  readonly subject: string;
  readonly issuer: string;
  readonly validFrom: Date;
  readonly validUntil: Date;
}

interface CertificateFault {
  readonly code: Extract<NotSentCode, 'CERTIFICATE_MISMATCH' | 'CERTIFICATE_UNKNOWN' | 'CERTIFICATE_INVALID'>;
  readonly message: string;
  readonly presented: string;
}

function fingerprintOf(der: Uint8Array): string {
  return `SHA256:${createHash('sha256').update(der).digest('base64').replace(/=+$/, '')}`;
}

/** The fault of a certificate after the handshake. Undefined if there is none. `where` is for the message. */
export function certificateFault(socket: TLSSocket, trust: Trust, where: string): CertificateFault | undefined {
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) {
    return { code: 'CERTIFICATE_UNKNOWN', message: `${where} presented no certificate.`, presented: '' };
  }
  const presented = fingerprintOf(certificate.raw);
  const invalid = (reason: string): CertificateFault => ({
    code: 'CERTIFICATE_INVALID',
    message: `The certificate of ${where} is not acceptable: ${reason}. Nothing was sent.`,
    presented,
  });
  if (trust.certificateSha256 === null && trust.caCertificates === null) {
    const message = `No certificate is accepted for ${where}. It presented ${presented}.`;
    return { code: 'CERTIFICATE_UNKNOWN', message, presented };
  }
  if (trust.certificateSha256 !== null && trust.certificateSha256 !== presented) {
    const message = `${where} presented the certificate ${presented}, but ${trust.certificateSha256} is accepted. Nothing was sent.`;
    return { code: 'CERTIFICATE_MISMATCH', message, presented };
  }
  const outOfTime = validityFault(certificate, new Date());
  if (outOfTime !== undefined) return invalid(outOfTime);
  if (trust.caCertificates === null) return undefined;
  if (!socket.authorized) return invalid(`none of the accepted authorities signed it (${chainFault(socket)})`);
  if (isFor(certificate, trust.host)) return undefined;
  return invalid(`it is for ${certificate.subjectAltName ?? certificate.subject}, not for ${trust.host}`);
}

function validityFault(certificate: X509Certificate, now: Date): string | undefined {
  const { validFromDate, validToDate } = certificate;
  if (now > validToDate) return `it expired on ${validToDate.toISOString()}`;
  if (now < validFromDate) return `it is not valid before ${validFromDate.toISOString()}`;
  return undefined;
}

/** RFC 9110 section 4.3.4: the certificate must name an address as an address. */
function isFor(certificate: X509Certificate, host: string): boolean {
  return (isIP(host) === 0 ? certificate.checkHost(host) : certificate.checkIP(host)) !== undefined;
}

/** OpenSSL's reason, for example UNABLE_TO_GET_ISSUER_CERT_LOCALLY; Node's types declare an Error, but it is a text. */
function chainFault(socket: TLSSocket): string {
  return String(socket.authorizationError);
}

/**
 * The certificate that a server presents now. Nothing proves that it is the server's own, so an operator must compare it.
 *
 * @throws UnreadProofError with the cause when there is no answer within `timeoutMs`
 */
export async function readCertificate(options: {
  readonly host: string;
  readonly port: number;
  readonly egress: EgressPolicy;
  readonly timeoutMs: number;
  readonly cryptoProfile?: CryptoProfile;
  readonly signal?: AbortSignal;
}): Promise<ServerCertificate> {
  const { host, port, egress, timeoutMs, cryptoProfile = 'LEGACY' } = options;
  const timeout = AbortSignal.timeout(timeoutMs);
  const signal = options.signal ? AbortSignal.any([options.signal, timeout]) : timeout;
  const fail = (reason: string, denied = false): never => {
    throw new UnreadProofError(`The certificate of ${host}:${port} can't be read: ${reason}.`, { denied });
  };
  const shaken = await handshake({ host, port, egress, cryptoProfile, caCertificates: null, signal });
  if (!shaken.ok)
    return fail(timeout.aborted ? `no answer within ${timeoutMs} ms` : shaken.reason, shaken.phase === 'denied');
  const certificate = shaken.socket.getPeerX509Certificate();
  shaken.socket.destroy();
  if (certificate === undefined) return fail('the server presented none');
  return {
    sha256: fingerprintOf(certificate.raw),
    subject: certificate.subject,
    issuer: certificate.issuer,
    validFrom: certificate.validFromDate,
    validUntil: certificate.validToDate,
  };
}
