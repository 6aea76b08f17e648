// Keys by purpose and id: one file of master keys, from which a key for each purpose is derived, so that one leaked purpose
// key opens no other. New things are made with the active key; old ones are still read with the key they name.
import { createSecretKey, hkdfSync, type KeyObject, randomBytes } from 'node:crypto';
import { open, readFile, rename, stat } from 'node:fs/promises';
import { z } from 'zod';

/** A derived key and the id of its master key. */
export interface PurposeKey {
  readonly id: string;
  /** 32 bytes. */
  readonly key: Buffer;
  /** The same for node:crypto, which otherwise makes such an object at each use. */
  readonly keyObject: KeyObject;
}

const fileShape = z.object({
  active: z.string(),
  keys: z.record(z.string().regex(/^[a-z0-9-]{1,32}$/), z.string().regex(/^[A-Za-z0-9+/]{43}=$/)),
});
type KeyFile = z.infer<typeof fileShape>;

export class Keyring {
  readonly #active: string;
  readonly #masters: ReadonlyMap<string, Buffer>;
  readonly #derived = new Map<string, PurposeKey>();

  constructor(file: KeyFile) {
    this.#active = file.active;
    this.#masters = new Map(Object.entries(file.keys).map(([id, text]) => [id, Buffer.from(text, 'base64')]));
    if (!this.#masters.has(file.active))
      throw new Error(`keyring: the active key ${file.active} is not among its keys`);
  }

  /** The key to make new things of this purpose with. */
  active(purpose: string): PurposeKey {
    const key = this.byId(purpose, this.#active);
    if (key === undefined) throw new Error('keyring: no active key');
    return key;
  }

  /** The key of this purpose with that id; undefined when the id is not known. */
  byId(purpose: string, id: string): PurposeKey | undefined {
    const master = this.#masters.get(id);
    if (master === undefined) return undefined;
    const cacheKey = `${id}/${purpose}`;
    let derived = this.#derived.get(cacheKey);
    if (derived === undefined) {
      const key = Buffer.from(hkdfSync('sha256', master, Buffer.alloc(0), `tidegate/${purpose}`, 32));
      derived = { id, key, keyObject: createSecretKey(key) };
      this.#derived.set(cacheKey, derived);
    }
    return derived;
  }

  /** All key ids, the active one first. */
  ids(): readonly string[] {
    return [this.#active, ...[...this.#masters.keys()].filter((id) => id !== this.#active)];
  }
}

function newMaster(existing: readonly string[]): [string, string] {
  let number = existing.length + 1;
  while (existing.includes(`k${number}`)) number += 1;
  return [`k${number}`, randomBytes(32).toString('base64')];
}

async function writeKeyFile(path: string, content: KeyFile): Promise<void> {
  const temporary = `${path}.${process.pid}.new`;
  const handle = await open(temporary, 'wx', 0o600);
  try {
    await handle.writeFile(`${JSON.stringify(content, null, 2)}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(temporary, path);
}

async function readKeyFile(path: string): Promise<KeyFile> {
  const mode = (await stat(path)).mode & 0o077;
  if (mode !== 0) throw new Error(`key file ${path} may be read by others: chmod 600 ${path}`);
  const parsed = fileShape.safeParse(JSON.parse(await readFile(path, 'utf8')));
  if (!parsed.success) throw new Error(`key file ${path} is not one of ours: ${z.prettifyError(parsed.error)}`);
  return parsed.data;
}

/** Reads a key file (mode 0600). */
export async function openKeyring(path: string): Promise<Keyring> {
  return new Keyring(await readKeyFile(path));
}

/** Reads a key file, made with one new key when there is none. */
export async function openOrMakeKeyring(path: string): Promise<Keyring> {
  try {
    return await openKeyring(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  const [id, key] = newMaster([]);
  await writeKeyFile(path, { active: id, keys: { [id]: key } });
  return openKeyring(path);
}

/** Adds a new active key; what was made with older ones can still be read. Returns its id. */
export async function rotateKeyring(path: string): Promise<string> {
  const file = await readKeyFile(path);
  const [id, key] = newMaster(Object.keys(file.keys));
  await writeKeyFile(path, { active: id, keys: { ...file.keys, [id]: key } });
  return id;
}
