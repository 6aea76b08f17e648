// Self-signed X.509 certificates (RFC 5280) of any validity, as devices make them for their web interface: written in DER
// by hand, since Node makes keys and signatures but no certificates.

import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { isIPv4 } from 'node:net';

export interface SelfSigned {
  /** PEM. */
  readonly cert: string;
  readonly key: string;
  /** Of the DER form: hex, lower case, without colons. */
  readonly sha256: string;
}

export interface SelfSignedOptions {
  readonly commonName: string;
  /** Subject alternative names: IPv4 addresses and DNS names. Default 127.0.0.1; many devices have none. */
  readonly names?: readonly string[];
  /** Default: a day ago. */
  readonly notBefore?: Date;
  /** Default: ten years from now. In the past: expired. */
  readonly notAfter?: Date;
  /** Default `ec` (P-256, quick to make); `rsa` (2048 bits) for clients without ECDSA. */
  readonly keyType?: 'ec' | 'rsa';
}

const dayMs = 86_400_000;

export function makeSelfSigned(options: SelfSignedOptions): SelfSigned {
  const { keyType = 'ec', names = ['127.0.0.1'], notBefore = new Date(Date.now() - dayMs) } = options;
  const { notAfter = new Date(Date.now() + 3650 * dayMs) } = options;
  const { publicKey, privateKey } = newKeyPair(keyType);
  const name = sequence(der(0x31, sequence(objectId('550403'), der(0x0c, Buffer.from(options.commonName)))));
  // ecdsa-with-SHA256 (RFC 5758) has no parameters, sha256WithRSAEncryption (RFC 4055) has NULL.
  const algorithm =
    keyType === 'ec' ? sequence(objectId('2a8648ce3d040302')) : sequence(objectId('2a864886f70d01010b'), der(0x05));
  const toBeSigned = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.concat([Buffer.from([1]), randomBytes(15)])),
    algorithm,
    name,
    sequence(utcTime(notBefore), utcTime(notAfter)),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(basicConstraints(), ...(names.length > 0 ? [alternativeNames(names)] : []))),
  );
  const signature = sign('sha256', toBeSigned, privateKey);
  const certificate = sequence(toBeSigned, algorithm, der(0x03, Buffer.from([0]), signature));
  return {
    cert: pem(certificate),
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    sha256: createHash('sha256').update(certificate).digest('hex'),
  };
}

function newKeyPair(keyType: 'ec' | 'rsa'): { publicKey: KeyObject; privateKey: KeyObject } {
  return keyType === 'ec'
    ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
    : generateKeyPairSync('rsa', { modulusLength: 2048 });
}

/** RFC 5280 section 4.2.1.9: critical, not an authority. */
function basicConstraints(): Buffer {
  return sequence(objectId('551d13'), der(0x01, Buffer.from([0xff])), der(0x04, sequence()));
}

/** RFC 5280 section 4.2.1.6. */
function alternativeNames(names: readonly string[]): Buffer {
  const entries = names.map((name) =>
    isIPv4(name) ? der(0x87, Buffer.from(name.split('.').map(Number))) : der(0x82, Buffer.from(name, 'ascii')),
  );
  return sequence(objectId('551d11'), der(0x04, sequence(...entries)));
}

/** X.690: a tag, a length, and the contents. */
function der(tag: number, ...contents: readonly Buffer[]): Buffer {
  const value = Buffer.concat(contents);
  const length = value.length;
  const head =
    length < 0x80 ? [tag, length] : length < 0x100 ? [tag, 0x81, length] : [tag, 0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from(head), value]);
}

const sequence = (...contents: readonly Buffer[]): Buffer => der(0x30, ...contents);
const objectId = (hex: string): Buffer => der(0x06, Buffer.from(hex, 'hex'));

/** UTCTime, for years from 1950 to 2049 (RFC 5280 section 4.1.2.5.1). */
function utcTime(date: Date): Buffer {
  return der(0x17, Buffer.from(`${date.toISOString().replace(/[-:T]/g, '').slice(2, 14)}Z`, 'ascii'));
}

function pem(certificate: Buffer): string {
  const lines = certificate.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}
