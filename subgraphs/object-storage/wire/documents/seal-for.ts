// Seals a secret for one cluster with nothing but its public key. A fresh P-256 key agrees with the cluster's key (ECDH, NIST SP 800-56A),
// HKDF (RFC 5869) derives a key from that, and AES-256-GCM (NIST SP 800-38D) seals. Only the holder of the cluster's private key can open
// it.
import {
  createCipheriv,
  createDecipheriv,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  hkdfSync,
  type KeyObject,
} from 'node:crypto';

/** A sealed value can't be opened: it was changed, is sealed for another cluster, or belongs to another place. */
class SealedForError extends Error {}

const form = 1;
/** SubjectPublicKeyInfo of a P-256 key: a header of 26 bytes, then a point of 65. */
const pointBytes = 65;
const tagBytes = 16;
/** Each key seals only one value, so a fixed nonce is safe. */
const nonce = Buffer.alloc(12);
const purpose = 'tidegate object storage: sealed for a cluster';

/** Where the secret of an access key belongs when it is sealed for a cluster. */
export function sealedPlace(accessKeyId: string, cluster: number): string {
  return `key/${accessKeyId} for cluster ${cluster}`;
}

/** True for a P-256 public key in PEM. */
export function isClusterKey(pem: string): boolean {
  try {
    const isPublic = pem.trimStart().startsWith('-----BEGIN PUBLIC KEY-----');
    return isPublic && createPublicKey(pem).asymmetricKeyDetails?.namedCurve === 'prime256v1';
  } catch {
    return false;
  }
}

/** `place`: what the secret belongs to; it can't be opened for another place. Returns base64. */
export function sealFor(publicKeyPem: string, secret: string, place: string): string {
  const recipient = createPublicKey(publicKeyPem);
  const ephemeral = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const point = pointOf(ephemeral.publicKey);
  const key = keyOf(ephemeral.privateKey, recipient, point, pointOf(recipient));
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(place));
  const text = Buffer.concat([cipher.update(secret, 'utf8'), cipher.final()]);
  return Buffer.concat([Buffer.of(form), point, cipher.getAuthTag(), text]).toString('base64');
}

/** Throws SealedForError. */
export function open(sealed: string, privateKeyPem: string, place: string): string {
  const bytes = Buffer.from(sealed, 'base64');
  const start = 1 + pointBytes;
  if (bytes[0] !== form || bytes.length < start + tagBytes) throw new SealedForError(`${place} is not a sealed value`);
  try {
    const own = createPrivateKey(privateKeyPem);
    const point = bytes.subarray(1, start);
    const key = keyOf(own, keyOfPoint(point), point, pointOf(createPublicKey(own)));
    const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: tagBytes })
      .setAAD(Buffer.from(place))
      .setAuthTag(bytes.subarray(start, start + tagBytes));
    return Buffer.concat([decipher.update(bytes.subarray(start + tagBytes)), decipher.final()]).toString('utf8');
  } catch {
    throw new SealedForError(`${place} can't be opened: it was changed, or is sealed for another cluster's key`);
  }
}

function keyOf(own: KeyObject, other: KeyObject, ephemeralPoint: Buffer, recipientPoint: Buffer): Buffer {
  const shared = diffieHellman({ privateKey: own, publicKey: other });
  return Buffer.from(hkdfSync('sha256', shared, Buffer.concat([ephemeralPoint, recipientPoint]), purpose, 32));
}

function pointOf(key: KeyObject): Buffer {
  return key.export({ format: 'der', type: 'spki' }).subarray(-pointBytes);
}

const spkiHead = Buffer.from('3059301306072a8648ce3d020106082a8648ce3d030107034200', 'hex');

function keyOfPoint(point: Buffer): KeyObject {
  return createPublicKey({ key: Buffer.concat([spkiHead, point]), format: 'der', type: 'spki' });
}
