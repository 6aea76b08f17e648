// The installation's own certificate authority, which signs the certificates of machines. Its key is only in the key folder of
// the role system; all machines trust its certificate.
import { createPublicKey, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { certify, makeCertificate } from '../net/certificates.ts';
import { fileExists, isMissing, readPrivateFile, writeWhole } from '../secrets/key-file.ts';
import { type MachineName, machineUri } from './machine.ts';

const certificateFile = 'authority.pem';
const keyFile = 'authority.key';

/** Days for which a machine's certificate and token are valid. They are renewed long before. */
export const machineDays = 7;

export class Authority {
  /** The certificate, PEM. */
  readonly cert: string;
  readonly #key: string;

  constructor(pair: { readonly cert: string; readonly key: string }) {
    this.cert = pair.cert;
    this.#key = pair.key;
  }

  /** SHA-256 of the certificate's DER form: hexadecimal, lower case. */
  get sha256(): string {
    return fingerprintOf(this.cert);
  }

  /** A certificate (PEM) for the machine's key, valid from now. `publicKey`: as returned by `readPublicKey`. */
  issue(machine: MachineName, publicKey: string): Promise<string> {
    return certify({
      publicKey,
      issuer: { cert: this.cert, key: this.#key },
      commonName: machine.name,
      uri: machineUri(machine),
      days: machineDays,
    });
  }
}

/** The authority of a key folder; undefined when it has none. Throws when its files are not readable. */
export async function openAuthority(folder: string): Promise<Authority | undefined> {
  try {
    const cert = await readFile(join(folder, certificateFile), 'utf8');
    return new Authority({ cert, key: await readPrivateFile(join(folder, keyFile)) });
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** Makes the authority of a key folder, unless it exists. Needs the program openssl. Returns its fingerprint. */
export async function makeAuthority(folder: string): Promise<string> {
  const known = await openAuthority(folder);
  if (known !== undefined) return known.sha256;
  if (await fileExists(join(folder, keyFile)))
    throw new Error(`${join(folder, keyFile)} has no ${certificateFile} beside it: restore it, or remove the key`);
  const { cert, key } = await makeCertificate({ commonName: 'Tidegate machines', use: 'authority' });
  // The key first: without the certificate there is no authority yet.
  await writeWhole(join(folder, keyFile), key);
  await writeWhole(join(folder, certificateFile), cert, 0o644);
  return fingerprintOf(cert);
}

/** SHA-256 of a certificate (PEM): hexadecimal, lower case. */
export function fingerprintOf(cert: string): string {
  return new X509Certificate(cert).fingerprint256.replaceAll(':', '').toLowerCase();
}

/** The canonical PEM of a P-256 public key; undefined for anything else. */
export function readPublicKey(pem: string): string | undefined {
  try {
    const key = createPublicKey({ key: pem, format: 'pem' });
    // A private key would be read as its public half.
    if (!/^-----BEGIN PUBLIC KEY-----/.test(pem.trimStart())) return undefined;
    if (key.asymmetricKeyDetails?.namedCurve !== 'prime256v1') return undefined;
    return key.export({ type: 'spki', format: 'pem' }).toString();
  } catch {
    return undefined;
  }
}
