// Keys by purpose and id: one file of master keys, from which a key for each purpose is derived, so that one leaked purpose key
// opens no other. New values are made with the active key; old ones are read with the key they name.
import { createSecretKey, hkdfSync, type KeyObject, randomBytes } from 'node:crypto';
import { z } from 'zod';
import { isMissing, keyIdPattern, readKeyFile, writeKeyFile } from './key-file.ts';

/** A derived key and the id of its master key. */
interface PurposeKey {
  readonly id: string;
  /** 32 bytes. */
  readonly key: Buffer;
  /** The same for node:crypto, which would otherwise create such an object at each use. */
  readonly keyObject: KeyObject;
}

/**
 * `next`: already known to other processes, not used yet. `boundSince`, in `sealing.keys`: since then every secret is bound to
 * its address, and secrets sealed by an earlier version are refused.
 */
export const keyringShape = z.object({
  active: z.string(),
  next: z.string().optional(),
  activeSince: z.iso.datetime().optional(),
  boundSince: z.iso.datetime().optional(),
  keys: z.record(z.string().regex(keyIdPattern), z.string().regex(/^[A-Za-z0-9+/]{43}=$/)),
});
type KeyringFile = z.output<typeof keyringShape>;

export class Keyring {
  #active = '';
  #masters: ReadonlyMap<string, Buffer> = new Map();
  readonly #derived = new Map<string, PurposeKey>();
  /** Unix milliseconds by id. */
  readonly #usedAtMs = new Map<string, number>();

  constructor(file: KeyringFile) {
    this.replace(file);
  }

  /** Takes the file's current content. */
  replace(file: KeyringFile): void {
    const masters = new Map(Object.entries(file.keys).map(([id, text]) => [id, Buffer.from(text, 'base64')]));
    if (!masters.has(file.active)) throw new Error(`keyring: the active key ${file.active} is not among its keys`);
    this.#active = file.active;
    this.#masters = masters;
    this.#derived.clear();
  }

  /** The key for new values of this purpose. */
  active(purpose: string): PurposeKey {
    const key = this.byId(purpose, this.#active);
    if (key === undefined) throw new Error('keyring: no active key');
    return key;
  }

  /** The key of this purpose with that id; undefined when the id is unknown. */
  byId(purpose: string, id: string): PurposeKey | undefined {
    const master = this.#masters.get(id);
    if (master === undefined) return undefined;
    this.#usedAtMs.set(id, Date.now());
    const cacheKey = `${id}/${purpose}`;
    let derived = this.#derived.get(cacheKey);
    if (derived === undefined) {
      const key = Buffer.from(hkdfSync('sha256', master, Buffer.alloc(0), `tidegate/${purpose}`, 32));
      derived = { id, key, keyObject: createSecretKey(key) };
      this.#derived.set(cacheKey, derived);
    }
    return derived;
  }

  /** The last use of each key here (Unix milliseconds, null if never used). */
  seen(): ReadonlyMap<string, number | null> {
    return new Map([...this.#masters.keys()].map((id) => [id, this.#usedAtMs.get(id) ?? null]));
  }

  /** All key ids, the active one first. */
  ids(): readonly string[] {
    return [this.#active, ...[...this.#masters.keys()].filter((id) => id !== this.#active)];
  }
}

/** A master key, in the format of the file. */
export function newMasterKey(): string {
  return randomBytes(32).toString('base64');
}

export function readKeyringFile(path: string): Promise<KeyringFile> {
  return readKeyFile(path, keyringShape);
}

/** Reads a key file (mode 0600). */
export async function openKeyring(path: string): Promise<Keyring> {
  return new Keyring(await readKeyringFile(path));
}

/** Reads a key file; creates it with one new key, and with `more`, if it is missing. */
export async function openOrMakeKeyring(path: string, more: Partial<KeyringFile> = {}): Promise<Keyring> {
  try {
    return await openKeyring(path);
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
  await writeKeyFile(path, { active: 'k1', ...more, keys: { k1: newMasterKey() } });
  return openKeyring(path);
}
