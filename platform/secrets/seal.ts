// Seals secrets at rest: AES-256-GCM (NIST SP 800-38D) under the key file's active key. The additional data binds a sealed value
// to its place, so that a copy in another row does not open. Where only equality matters, a keyed hash is enough.
import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto';
import type { Keyring } from './keyring.ts';

export interface Sealed {
  /** Id of the key; older keys still open. */
  readonly keyId: string;
  /** 12 bytes nonce, 16 bytes tag, then the cipher text. */
  readonly sealed: Buffer;
}

export interface Sealer {
  /** `aad`: the value's place, for example `backend/<uuid>/password`. */
  seal(plain: string, aad: string): Sealed;
  /** Throws SealError. */
  open(sealed: Sealed, aad: string): string;
  /**
   * `KEY:HEX`, HMAC-SHA-256 (RFC 2104) with a key that is used for nothing else. Equal for the same secret in the same place.
   * `keyId`: the key of an earlier hash. Default: the active key. Returns undefined if there is no such key.
   */
  hash(secret: string, place: string, keyId?: string): string | undefined;
  /** The active one first. */
  keyIds(): readonly string[];
}

/** A sealed value that can't be opened. */
export class SealError extends Error {
  /** KEY_MISSING: the key file lacks its key. CHANGED: it was changed, or belongs elsewhere. */
  readonly why: 'KEY_MISSING' | 'CHANGED';

  constructor(why: SealError['why'], message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'SealError';
    this.why = why;
  }
}

const purpose = 'sealing';
const hashPurpose = 'secret-hashes';
const nonceBytes = 12;
const tagBytes = 16;

export function createSealer(keyring: Keyring): Sealer {
  return {
    seal(plain, aad) {
      const { id, key } = keyring.active(purpose);
      const nonce = randomBytes(nonceBytes);
      const cipher = createCipheriv('aes-256-gcm', key, nonce);
      cipher.setAAD(Buffer.from(aad, 'utf8'));
      const text = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final()]);
      return { keyId: id, sealed: Buffer.concat([nonce, cipher.getAuthTag(), text]) };
    },
    open({ keyId, sealed }, aad) {
      const key = keyring.byId(purpose, keyId);
      if (key === undefined)
        throw new SealError(
          'KEY_MISSING',
          `${aad} was sealed with key ${keyId}, which is not in the key file: restore that key`,
        );
      if (sealed.length < nonceBytes + tagBytes)
        throw new SealError('CHANGED', `${aad} is too short to be a sealed value`);
      const decipher = createDecipheriv('aes-256-gcm', key.key, sealed.subarray(0, nonceBytes), {
        authTagLength: tagBytes,
      });
      decipher.setAAD(Buffer.from(aad, 'utf8'));
      decipher.setAuthTag(sealed.subarray(nonceBytes, nonceBytes + tagBytes));
      try {
        const start = decipher.update(sealed.subarray(nonceBytes + tagBytes));
        return Buffer.concat([start, decipher.final()]).toString('utf8');
      } catch (error) {
        const message = `${aad} can't be opened with key ${keyId}: it was changed, or belongs elsewhere`;
        throw new SealError('CHANGED', message, error);
      }
    },
    hash(secret, place, keyId) {
      const key = keyId === undefined ? keyring.active(hashPurpose) : keyring.byId(hashPurpose, keyId);
      if (key === undefined) return undefined;
      const said = JSON.stringify([place, secret]);
      return `${key.id}:${createHmac('sha256', key.keyObject).update(said).digest('hex')}`;
    },
    keyIds: () => keyring.ids(),
  };
}
