// Key pairs (Ed25519, RFC 8032) of signers: gateways, the system subgraph, workers and the object storage control plane. Anyone
// with the public key can verify their signatures, and nobody can forge them.
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign, verify } from 'node:crypto';
import { z } from 'zod';
import { keyIdPattern, parseKeyFile, readKeyFile } from './key-file.ts';

/**
 * Gateways sign identities, the system subgraph signs access tokens, workers sign the ends of the audit trail, and object storage
 * signs its messages to clusters.
 */
export const signers = ['gateway', 'system', 'audit', 'objects'] as const;
export type Signer = (typeof signers)[number];

const keyId = z.string().regex(keyIdPattern);
const der = z.string().regex(/^[A-Za-z0-9+/]{40,128}={0,2}$/);

/** PKCS #8 (RFC 5958) by id. `next`: already known to others, not used yet. */
export const signingFileShape = z.strictObject({
  active: keyId,
  next: keyId.optional(),
  activeSince: z.iso.datetime().optional(),
  keys: z.record(keyId, der),
});
export type SigningFile = z.output<typeof signingFileShape>;

/** SubjectPublicKeyInfo (RFC 5280) by signer and id. */
const publicFileShape = z.strictObject({
  gateway: z.record(keyId, der),
  system: z.record(keyId, der),
  audit: z.record(keyId, der),
  /** Files of earlier versions have none. */
  objects: z.record(keyId, der).default({}),
});
export type PublicFile = z.output<typeof publicFileShape>;

interface SigningKey {
  readonly id: string;
  readonly privateKey: KeyObject;
}

/** The private keys of one signer. Its content is replaced with its file. */
export class SigningKeys {
  #active: SigningKey;
  #file: SigningFile;

  constructor(file: SigningFile) {
    this.#active = keyOf(file, file.active);
    this.#file = file;
  }

  replace(file: SigningFile): void {
    this.#active = keyOf(file, file.active);
    this.#file = file;
  }

  /** The key for signing. */
  active(): SigningKey {
    return this.#active;
  }

  /** All key ids, the active one first. */
  ids(): readonly string[] {
    return [this.#active.id, ...Object.keys(this.#file.keys).filter((id) => id !== this.#active.id)];
  }

  /** 64 bytes. `keyId`: one of `ids`, for a reader that does not know the active one yet. */
  sign(data: string | Buffer, keyId = this.#active.id): { readonly keyId: string; readonly signature: Buffer } {
    const { privateKey } = keyId === this.#active.id ? this.#active : keyOf(this.#file, keyId);
    return { keyId, signature: sign(null, bytes(data), privateKey) };
  }

  /** The public key of one of `ids`, in the format of the file. */
  publicText(keyId: string): string {
    return publicTextOf(this.#file.keys[keyId] ?? '');
  }
}

/** The public keys of all signers. Its content is replaced with its file. */
export class PublicKeys {
  #keys: ReadonlyMap<string, KeyObject>;
  /** Unix milliseconds by `signer/id`. */
  readonly #usedAtMs = new Map<string, number>();

  constructor(file: PublicFile) {
    this.#keys = publicKeysOf(file);
  }

  replace(file: PublicFile): void {
    this.#keys = publicKeysOf(file);
  }

  byId(signer: Signer, id: string): KeyObject | undefined {
    return this.#keys.get(`${signer}/${id}`);
  }

  /** True when the signer's key of that id made the signature. */
  verifies(signer: Signer, id: string, data: string | Buffer, signature: Buffer): boolean {
    const key = this.byId(signer, id);
    if (key === undefined || signature.length !== 64 || !verify(null, bytes(data), key, signature)) return false;
    this.noteUse(signer, id);
    return true;
  }

  /** A signature by this key was valid. */
  noteUse(signer: Signer, id: string): void {
    this.#usedAtMs.set(`${signer}/${id}`, Date.now());
  }

  /** The last use of each key here (Unix milliseconds, null if never used), by `signer/id`. */
  seen(): ReadonlyMap<string, number | null> {
    return new Map([...this.#keys.keys()].map((name) => [name, this.#usedAtMs.get(name) ?? null]));
  }
}

function keyOf({ active, keys }: SigningFile, id: string): SigningKey {
  const text = keys[id];
  if (text === undefined)
    throw new Error(`key file: the ${id === active ? 'active key' : 'key'} ${id} is not among its keys`);
  const privateKey = createPrivateKey({ key: Buffer.from(text, 'base64'), format: 'der', type: 'pkcs8' });
  return { id, privateKey };
}

function publicKeysOf(file: PublicFile): ReadonlyMap<string, KeyObject> {
  const keys = new Map<string, KeyObject>();
  for (const signer of signers)
    for (const [id, text] of Object.entries(file[signer]))
      keys.set(`${signer}/${id}`, createPublicKey({ key: Buffer.from(text, 'base64'), format: 'der', type: 'spki' }));
  return keys;
}

function bytes(data: string | Buffer): Buffer {
  return typeof data === 'string' ? Buffer.from(data, 'utf8') : data;
}

/** A new pair, in the format of the files. */
export function newKeyPair(): { readonly privateText: string; readonly publicText: string } {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  return {
    privateText: privateKey.export({ format: 'der', type: 'pkcs8' }).toString('base64'),
    publicText: publicKey.export({ format: 'der', type: 'spki' }).toString('base64'),
  };
}

/** The public key of a private one, in the format of the file. */
export function publicTextOf(privateText: string): string {
  const privateKey = createPrivateKey({ key: Buffer.from(privateText, 'base64'), format: 'der', type: 'pkcs8' });
  return createPublicKey(privateKey).export({ format: 'der', type: 'spki' }).toString('base64');
}

export function readSigningFile(path: string): Promise<SigningFile> {
  return readKeyFile(path, signingFileShape);
}

export function readPublicFile(path: string): Promise<PublicFile> {
  return parseKeyFile(path, publicFileShape);
}
