// Checks that a text is PEM that OpenSSL can load: a node with an unloadable file could not apply any change.
import { X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';

const mostBlocks = 100;

/** The fault in a list of certificates, as a phrase that continues the field's name. Undefined if there is none. */
export function certificatesFault(pem: string): string | undefined {
  return blocksFault(pem, 'CERTIFICATE', 'certificates', (der) => {
    const certificate = new X509Certificate(der);
    // HAProxy silently drops a certificate whose key it can't read.
    if (!certificate.raw.equals(der) || certificate.publicKey.type !== 'public') throw new Error('not a certificate');
  });
}

/** The same for revocation lists (RFC 5280 section 5.1). */
export function revocationsFault(pem: string): string | undefined {
  return blocksFault(pem, 'X509 CRL', 'revocation lists', (der) => {
    // Node has no parser for them, but OpenSSL does.
    const crl = `-----BEGIN X509 CRL-----\n${der.toString('base64').replaceAll(/.{64}(?=.)/g, '$&\n')}\n-----END X509 CRL-----\n`;
    createSecureContext({ crl });
  });
}

function blocksFault(pem: string, label: string, what: string, read: (der: Buffer) => void): string | undefined {
  const pattern = new RegExp(`-----BEGIN ${label}-----([A-Za-z0-9+/=\\s]+?)-----END ${label}-----`, 'g');
  const blocks = [...pem.matchAll(pattern)];
  if (blocks.length === 0 || blocks.length > mostBlocks || pem.replaceAll(pattern, '').trim() !== '')
    return `is not PEM: give 1 to ${mostBlocks} ${what} (-----BEGIN ${label}-----), and nothing else`;
  for (const [at, [, base64 = '']] of blocks.entries())
    try {
      read(Buffer.from(base64, 'base64'));
    } catch {
      return `can't be read: number ${at + 1} of its ${what} is damaged`;
    }
  return undefined;
}
