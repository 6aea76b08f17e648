// Seals the positions that clients get as cursors: a sequence number counts the events of all projects, and would reveal to each
// client how busy the others are. AES-256-GCM with a key of the subgraphs and a new nonce each time: two cursors of the same
// position differ, so that a comparison does not show whether something has happened.
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { Keyring } from './keyring.ts';

const purpose = 'cursor';
const nonceBytes = 12;
const tagBytes = 16;
/** The length does not reveal the number of digits. */
const paddedTo = 64;
/** The longest position is the name of a stored object. */
const longest = 2_048;

export class CursorSealer {
  readonly #keyring: Keyring;

  constructor(keyring: Keyring) {
    this.#keyring = keyring;
  }

  /** `place`: where the cursor is valid. `plain` must not end with a space. */
  seal(place: string, plain: string): string {
    const { id, keyObject } = this.#keyring.active(purpose);
    const nonce = randomBytes(nonceBytes);
    const cipher = createCipheriv('aes-256-gcm', keyObject, nonce);
    cipher.setAAD(Buffer.from(place, 'utf8'));
    const padded = plain.padEnd(Math.ceil(plain.length / paddedTo) * paddedTo);
    const text = Buffer.concat([cipher.update(padded, 'utf8'), cipher.final()]);
    const head = Buffer.from(id, 'latin1');
    return Buffer.concat([Buffer.of(head.length), head, nonce, cipher.getAuthTag(), text]).toString('base64url');
  }

  /** Undefined if it was not sealed for this place, or was sealed with a key that is no longer in the key file. */
  open(place: string, sealed: string): string | undefined {
    if (sealed.length > longest) return undefined;
    const bytes = Buffer.from(sealed, 'base64url');
    const start = 1 + (bytes[0] ?? 0);
    if (bytes.length < start + nonceBytes + tagBytes) return undefined;
    const key = this.#keyring.byId(purpose, bytes.toString('latin1', 1, start));
    if (key === undefined) return undefined;
    const nonce = bytes.subarray(start, start + nonceBytes);
    const decipher = createDecipheriv('aes-256-gcm', key.keyObject, nonce, { authTagLength: tagBytes });
    decipher.setAAD(Buffer.from(place, 'utf8'));
    decipher.setAuthTag(bytes.subarray(start + nonceBytes, start + nonceBytes + tagBytes));
    try {
      const text = decipher.update(bytes.subarray(start + nonceBytes + tagBytes));
      return Buffer.concat([text, decipher.final()]).toString('utf8').trimEnd();
    } catch {
      return undefined;
    }
  }
}
