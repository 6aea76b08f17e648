// Keys of a signed zone: ECDSA with P-256 and SHA-256 (algorithm 13, RFC 6605), made, read, and described as the parent zone needs them.
import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import type { DnssecKeyPlan } from '../../policy/plan.ts';
import { encodeName } from '../../wire/name.ts';

const algorithm = 13;
const sha256Digest = 2;

/** `flags`: 257 for a key that the parent's DS record names (it signs the keys), 256 for one that signs the rest (RFC 4034 section 2.1.1). */
export function makeKey(flags: DnssecKeyPlan['flags'], active: boolean): DnssecKeyPlan {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const bytes = publicBytes(publicKey);
  return {
    ...{ keyTag: keyTagOf(dnskeyData(flags, bytes)), algorithm, flags, active },
    publicKey: bytes.toString('base64'),
    privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

/** RFC 6605 section 4: the two coordinates. */
function publicBytes(key: KeyObject): Buffer {
  const { x = '', y = '' } = key.export({ format: 'jwk' });
  return Buffer.concat([Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')]);
}

/** RFC 4034 section 2.1. */
export function dnskeyData(flags: number, publicKey: Buffer): Buffer {
  return Buffer.concat([Buffer.from([flags >> 8, flags & 0xff, 3, algorithm]), publicKey]);
}

/** RFC 4034 appendix B. */
function keyTagOf(data: Buffer): number {
  let sum = 0;
  for (const [index, byte] of data.entries()) sum += index % 2 === 0 ? byte << 8 : byte;
  return (sum + (sum >> 16)) & 0xffff;
}

/** The data of the parent zone's DS record (RFC 4034 section 5.1): key tag, algorithm, digest type 2 (SHA-256, RFC 4509), digest. */
export function dsData(zone: string, plan: DnssecKeyPlan): Buffer {
  return Buffer.concat([
    Buffer.from([plan.keyTag >> 8, plan.keyTag & 0xff, algorithm, sha256Digest]),
    digestOf(zone, plan),
  ]);
}

/** The same as text. */
export function dsText(zone: string, plan: DnssecKeyPlan): string {
  return `${plan.keyTag} ${algorithm} ${sha256Digest} ${digestOf(zone, plan).toString('hex').toUpperCase()}`;
}

function digestOf(zone: string, { flags, publicKey }: DnssecKeyPlan): Buffer {
  const data = dnskeyData(flags, Buffer.from(publicKey, 'base64'));
  return createHash('sha256').update(encodeName(zone)).update(data).digest();
}

/** The private key. Throws if it does not match the public key or the tag, because its signatures would be bogus. */
export function privateKeyOf(plan: DnssecKeyPlan): KeyObject {
  const key = createPrivateKey(plan.privateKey);
  const bytes = publicBytes(createPublicKey(key));
  if (bytes.toString('base64') !== plan.publicKey) throw new Error(`the key ${plan.keyTag} has another public key`);
  if (keyTagOf(dnskeyData(plan.flags, bytes)) !== plan.keyTag)
    throw new Error(`the key ${plan.keyTag} has another tag`);
  return key;
}
