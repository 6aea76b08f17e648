// Checks certificates and their private keys before they are stored.
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import type { InputCheck } from '../../../../platform/input/input.ts';
import { keyCostFault } from '../../../../platform/net/private-key-cost.ts';
import type { CertificateRow } from './certificate-store.ts';

const mostChainBytes = 65_536;
const mostKeyBytes = 8_000;
const mostCertificates = 10;
const mostNames = 100;
const pemBlock = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+?-----END CERTIFICATE-----/g;
const curves = ['prime256v1', 'secp384r1'];

export type CheckedCertificate = Pick<
  CertificateRow,
  'chain' | 'sha256' | 'hostNames' | 'issuer' | 'notBefore' | 'notAfter'
> & { readonly privateKey: string };

/** Undefined if there are faults, which are added to `check`. */
export function checkCertificate(
  check: InputCheck,
  { chain, privateKey }: { readonly chain: string; readonly privateKey: string },
  now = new Date(),
): CheckedCertificate | undefined {
  const certificates = readChain(check, chain);
  const key = readKey(check, privateKey);
  const [leaf] = certificates;
  if (leaf === undefined || key === undefined) return undefined;
  if (!leaf.checkPrivateKey(key))
    check.fault('privateKey', 'privateKey does not belong to the first certificate in chain');
  for (const [at, certificate] of certificates.entries())
    checkLink(check, certificate, certificates[at + 1], at + 1, now);
  const hostNames = hostNamesOf(leaf);
  if (hostNames.length > mostNames)
    check.fault('chain', `the certificate has ${hostNames.length} host names; at most ${mostNames} are allowed`);
  return {
    chain: certificates.map((certificate) => certificate.toString()).join(''),
    privateKey: key.export({ type: 'pkcs8', format: 'pem' }).toString(),
    sha256: leaf.fingerprint256.replaceAll(':', '').toLowerCase(),
    hostNames,
    issuer: leaf.issuer.replaceAll('\n', ', ').slice(0, 1024),
    notBefore: new Date(leaf.validFrom),
    notAfter: new Date(leaf.validTo),
  };
}

/** Checks a certificate of a chain against the next one. */
function checkLink(
  check: InputCheck,
  certificate: X509Certificate,
  issuer: X509Certificate | undefined,
  number: number,
  now: Date,
): void {
  const what = `certificate ${number} of chain`;
  const notAfter = new Date(certificate.validTo);
  if (notAfter <= now) check.fault('chain', `${what} expired at ${notAfter.toISOString()}; give a valid one`);
  // The signature of a root is irrelevant: a root is trusted by itself.
  const isRoot = certificate.checkIssued(certificate);
  const signature = certificate.signatureAlgorithm ?? '';
  if (!isRoot && /md[245]|sha1(?!\d)/i.test(signature))
    check.fault('chain', `${what} is signed with ${signature.slice(0, 40)}, which is too weak; have it reissued`);
  if (issuer === undefined) return;
  if (!certificate.checkIssued(issuer) || !certificate.verify(issuer.publicKey))
    check.fault('chain', `${what} was not issued by the next one; give them leaf first`);
}

function readChain(check: InputCheck, chain: string): X509Certificate[] {
  if (chain.length > mostChainBytes) {
    check.fault('chain', `chain has ${chain.length} characters; at most ${mostChainBytes} are allowed`, 'TOO_LONG');
    return [];
  }
  const blocks = chain.match(pemBlock) ?? [];
  if (blocks.length === 0 || blocks.length > mostCertificates || chain.replaceAll(pemBlock, '').trim() !== '') {
    check.fault('chain', `chain is not PEM: give 1 to ${mostCertificates} certificates, and nothing else`);
    return [];
  }
  try {
    return blocks.map((block) => new X509Certificate(block));
  } catch {
    check.fault('chain', 'chain has a certificate that cannot be read');
    return [];
  }
}

function readKey(check: InputCheck, pem: string): KeyObject | undefined {
  if (pem.length > mostKeyBytes) {
    check.fault(
      'privateKey',
      `privateKey has ${pem.length} characters; at most ${mostKeyBytes} are allowed`,
      'TOO_LONG',
    );
    return undefined;
  }
  if (/ENCRYPTED/.test(pem) || keyCostFault(pem) !== undefined) {
    check.fault('privateKey', 'privateKey has a passphrase; give the key without one');
    return undefined;
  }
  try {
    const key = createPrivateKey(pem);
    if (isAccepted(key)) return key;
    check.fault(
      'privateKey',
      'privateKey is of a kind that is not accepted; give RSA with 2048 to 4096 bits, or ECDSA with P-256 or P-384',
    );
  } catch {
    check.fault('privateKey', 'privateKey is not a private key in PEM');
  }
  return undefined;
}

function isAccepted({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): boolean {
  const { modulusLength = 0, namedCurve = '' } = asymmetricKeyDetails ?? {};
  if (asymmetricKeyType === 'rsa') return modulusLength >= 2048 && modulusLength <= 4096;
  return asymmetricKeyType === 'ec' && curves.includes(namedCurve);
}

/** DNS names and addresses in the subject alternative name (RFC 5280 section 4.2.1.6). */
function hostNamesOf({ subjectAltName }: X509Certificate): string[] {
  return (subjectAltName ?? '').split(', ').flatMap((name) => /^(?:DNS|IP Address):(.+)$/.exec(name)?.[1] ?? []);
}
