// The checks of a machine on its new credential: the authority is the one in its join token, and the certificate is for its own
// key.
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { fingerprintOf } from './authority.ts';
import { machineOf } from './machine.ts';

interface OfferedCredential {
  readonly certificate: string;
  readonly authority: string;
}

const tokenPattern = /^tgj_[\w-]{43}\.([0-9a-f]{64})$/;

/** The fingerprint of the authority in a join token; undefined when the token is invalid. */
export function authorityOfToken(joinToken: string): string | undefined {
  return tokenPattern.exec(joinToken)?.[1];
}

/** Throws when the credential must not be trusted. `authoritySha256`: left out where the authority is on this host. */
export function acceptCredential(offered: OfferedCredential, privateKey: string, authoritySha256?: string): void {
  if (authoritySha256 !== undefined && fingerprintOf(offered.authority) !== authoritySha256)
    throw new Error(
      'the endpoint presented an authority other than the one in the join token: the connection may be intercepted',
    );
  const certificate = new X509Certificate(offered.certificate);
  if (!certificate.verify(new X509Certificate(offered.authority).publicKey))
    throw new Error('the certificate is not signed by the authority');
  if (!certificate.checkPrivateKey(createPrivateKey(privateKey)))
    throw new Error("the certificate is for another key than this machine's");
  if (machineOf(certificate) === undefined) throw new Error('the certificate does not name a machine');
}
