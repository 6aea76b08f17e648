// Makes the key files of a folder; existing ones are kept.
import { copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { fileExists, isMissing, keyIdPattern, readKeyFile, writeKeyFile } from './key-file.ts';
import { keyFilePath } from './key-folder.ts';
import {
  newKeyPair,
  type PublicFile,
  publicTextOf,
  readPublicFile,
  readSigningFile,
  type Signer,
  signers,
} from './key-pairs.ts';
import { openOrMakeKeyring } from './keyring.ts';

/** The single key that all roles used to share. Its remaining purposes belong to the subgraphs. */
const formerFile = 'trust.keys';

/** The key ids by file, the active one first. */
export async function makeKeys(folder: string): Promise<ReadonlyMap<string, readonly string[]>> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const ids = new Map<string, readonly string[]>();
  const former = join(folder, formerFile);
  const subgraphs = keyFilePath(folder, 'subgraphs');
  if ((await fileExists(former)) && !(await fileExists(subgraphs))) await copyFile(former, subgraphs);
  ids.set('subgraphs', (await openOrMakeKeyring(subgraphs)).ids());
  // A new key has sealed nothing yet.
  const sealing = await openOrMakeKeyring(keyFilePath(folder, 'sealing'), { boundSince: new Date().toISOString() });
  ids.set('sealing', sealing.ids());
  const known = await readPublicFile(keyFilePath(folder, 'public')).catch((error: unknown): PublicFile => {
    if (isMissing(error)) return { gateway: {}, system: {}, audit: {}, objects: {} };
    throw error;
  });
  const all: Record<Signer, Record<string, string>> = {
    gateway: { ...known.gateway },
    system: { ...known.system },
    audit: { ...known.audit },
    objects: { ...known.objects },
  };
  for (const signer of signers) {
    const path = keyFilePath(folder, signer);
    if (!(await fileExists(path))) {
      const { privateText } = newKeyPair();
      await writeKeyFile(path, { active: 'k1', keys: { k1: privateText } });
    }
    const { keys } = await readSigningFile(path);
    for (const [id, text] of Object.entries(keys)) all[signer][id] = publicTextOf(text);
    ids.set(signer, await keyIds(path));
  }
  if (JSON.stringify(all) !== JSON.stringify(known)) await writeKeyFile(keyFilePath(folder, 'public'), all, 0o644);
  return ids;
}

const anyKeyFile = z.object({ active: z.string().regex(keyIdPattern), keys: z.record(z.string(), z.string()) });

/** The ids of the keys in a file with private or shared keys, the active one first. */
async function keyIds(path: string): Promise<readonly string[]> {
  const { active, keys } = await readKeyFile(path, anyKeyFile);
  return [active, ...Object.keys(keys).filter((id) => id !== active)];
}

/** The ids in any key file, for people. Public keys, which everyone may read, are named by their signer too: `gateway/k1`. */
export async function shownKeyIds(path: string): Promise<readonly string[]> {
  const all = await readPublicFile(path).catch((error: unknown) => {
    if (isMissing(error)) throw error;
    return undefined;
  });
  if (all === undefined) return keyIds(path);
  return signers.flatMap((signer) => Object.keys(all[signer]).map((id) => `${signer}/${id}`));
}
