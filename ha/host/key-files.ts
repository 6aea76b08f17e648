// The key files of a host (`keys.folder`). The first host reads them, and a joining host writes them.

import { createHash } from 'node:crypto';
import { lstat, mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { isMissing, writeWhole } from '../../platform/secrets/key-file.ts';
import { JoinRefusal } from './join-refusal.ts';

const mostFiles = 20;
const mostFileCharacters = 32 * 1024;
const mostCharacters = 192 * 1024;
/** A plain name, so that the file stays in its folder. */
const fileName = z.string().regex(/^[a-z][a-z0-9-]{0,40}\.(keys|pem|key)$/);

/** The text of each file by its name. */
export const keyFilesShape = z
  .record(fileName, z.string().max(mostFileCharacters))
  .refine((files) => Object.keys(files).length <= mostFiles);
export type KeyFiles = z.output<typeof keyFilesShape>;

/** SHA-256 of each file by its name. */
export const keyHashesShape = z
  .record(fileName, z.string().regex(/^[0-9a-f]{64}$/))
  .refine((files) => Object.keys(files).length <= mostFiles);
export type KeyHashes = z.output<typeof keyHashesShape>;

/** The key folder of a single machine. */
export function keyFolderIn(dataPath: string): string {
  return join(dataPath, 'keys');
}

/** None if there is no such folder. Throws JoinRefusal. */
export async function readKeyFiles(folder: string): Promise<KeyFiles> {
  const names = await readdir(folder).catch((error: unknown) => {
    if (isMissing(error)) return [];
    throw error;
  });
  const files: Record<string, string> = {};
  for (const name of names.filter((each) => fileName.safeParse(each).success).sort()) {
    const path = join(folder, name);
    const found = await lstat(path);
    if (!found.isFile()) continue;
    if (found.size > mostFileCharacters) throw tooLarge(`${path} has ${found.size} bytes`);
    files[name] = await readFile(path, 'utf8');
  }
  const all = Object.values(files);
  const characters = all.reduce((sum, text) => sum + text.length, 0);
  if (all.length > mostFiles || characters > mostCharacters)
    throw tooLarge(`${folder} has ${all.length} key files with ${characters} characters`);
  return files;
}

export function hashesOf(files: KeyFiles): KeyHashes {
  return Object.fromEntries(Object.entries(files).map(([name, text]) => [name, hashOf(text)]));
}

/** A host that has another key under the same name does not take the key of the first host. */
export function refuseDifferent(files: KeyFiles, there: KeyHashes): void {
  const different = Object.entries(files).flatMap(([name, text]) =>
    there[name] !== undefined && there[name] !== hashOf(text) ? [name] : [],
  );
  if (different.length > 0)
    throw new JoinRefusal(
      'KEYS_DIFFER',
      `this host has other keys in ${different.join(', ')} than the first host: move them away, or name another folder with --keys`,
    );
}

/** Leaves existing files unchanged. If one of them differs, throws JoinRefusal and writes nothing. */
export async function writeKeyFiles(folder: string, files: KeyFiles): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const there = hashesOf(await readKeyFiles(folder));
  refuseDifferent(files, there);
  for (const [name, text] of Object.entries(files))
    if (there[name] === undefined) await writeWhole(join(folder, name), text);
}

function tooLarge(what: string): JoinRefusal {
  return new JoinRefusal(
    'KEYS_TOO_LARGE',
    `${what}; key files are at most ${mostFiles}, of ${mostFileCharacters} bytes each and ${mostCharacters} together`,
  );
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
