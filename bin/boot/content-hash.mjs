// A hash over names and contents of files and folders: generated files are made again when it changes.

import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

const LEFT_OUT = new Set(['dist', 'node_modules', '.git']);

/** Paths are relative to `root`; a missing one counts as empty. Reads one file after the other, which is faster for hundreds of small files. */
export function contentHash(root, paths) {
  const hash = createHash('sha256');
  for (const path of paths) addTo(hash, root, path);
  return hash.digest('hex');
}

function addTo(hash, root, path) {
  let content;
  try {
    content = readFileSync(join(root, path));
  } catch (error) {
    if (error.code === 'ENOENT') return;
    if (error.code !== 'EISDIR') throw error;
    const names = readdirSync(join(root, path))
      .filter((name) => !LEFT_OUT.has(name))
      .sort();
    for (const name of names) addTo(hash, root, join(path, name));
    return;
  }
  hash.update(`${path}\0${content.length}\0`).update(content);
}

/** The stamp written when something was made, or '' if there is none. */
export async function readStamp(path) {
  return (await readFile(path, 'utf8').catch(() => '')).trim();
}
