// The key files that a data host gets when it joins, encrypted for it alone: ECDH on P-256 with a key pair of each side for this one
// answer, HKDF-SHA256 (RFC 5869), AES-256-GCM. The answer is bound to the token and to the fingerprints of both keys, and can't be opened
// elsewhere.

import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  hkdfSync,
  randomBytes,
} from 'node:crypto';
import { z } from 'zod';
import { newMachineKeys } from '../../platform/machines/machine-keys.ts';
import { JoinRefusal } from './join-refusal.ts';
import { type KeyFiles, keyFilesShape } from './key-files.ts';

export const sealedKeyFiles = z.object({
  /** PEM, from the first host, for this answer. */
  publicKey: z.string().max(1_000),
  iv: z.base64().max(24),
  tag: z.base64().max(32),
  text: z.base64().max(768 * 1024),
});
type SealedKeyFiles = z.output<typeof sealedKeyFiles>;

const cipher = 'aes-256-gcm';

/** `publicKey`: the joiner's (PEM). */
export async function sealKeyFiles(files: KeyFiles, publicKey: string, token: string): Promise<SealedKeyFiles> {
  const own = await newMachineKeys();
  const iv = randomBytes(12);
  const { key, context } = secretOf({ privateKey: own.privateKey, other: publicKey, token }, publicKey, own.publicKey);
  const sealing = createCipheriv(cipher, key, iv).setAAD(context);
  const text = Buffer.concat([sealing.update(JSON.stringify(files), 'utf8'), sealing.final()]);
  return {
    publicKey: own.publicKey,
    iv: iv.toString('base64'),
    tag: sealing.getAuthTag().toString('base64'),
    text: text.toString('base64'),
  };
}

/** `own`: the joiner's key pair. Throws JoinRefusal if the answer was sealed for another one, or changed. */
export function openKeyFiles(
  sealed: SealedKeyFiles,
  own: { readonly publicKey: string; readonly privateKey: string },
  token: string,
): KeyFiles {
  const { publicKey: other } = sealed;
  const { key, context } = secretOf({ privateKey: own.privateKey, other, token }, own.publicKey, other);
  const opening = createDecipheriv(cipher, key, Buffer.from(sealed.iv, 'base64'), { authTagLength: 16 });
  opening.setAAD(context).setAuthTag(Buffer.from(sealed.tag, 'base64'));
  try {
    const text = Buffer.concat([opening.update(Buffer.from(sealed.text, 'base64')), opening.final()]);
    return keyFilesShape.parse(JSON.parse(text.toString('utf8')));
  } catch {
    throw new JoinRefusal('BAD_KEYS', 'the key files were changed on their way, or are not for this host');
  }
}

function secretOf(
  { privateKey, other, token }: { readonly privateKey: string; readonly other: string; readonly token: string },
  joiner: string,
  first: string,
): { readonly key: Buffer; readonly context: Buffer } {
  const shared = diffieHellman({ privateKey: createPrivateKey(privateKey), publicKey: createPublicKey(other) });
  const context = Buffer.from(`tidegate/ha/key-files\n${fingerprint(joiner)}\n${fingerprint(first)}`);
  const salt = createHash('sha256').update(token).digest();
  return { key: Buffer.from(hkdfSync('sha256', shared, salt, context, 32)), context };
}

function fingerprint(publicKey: string): string {
  return createHash('sha256')
    .update(createPublicKey(publicKey).export({ type: 'spki', format: 'der' }))
    .digest('hex');
}
