// A hash over files and folders, by name and content: what was made from them is made again when it changes.

import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

const LEFT_OUT = new Set(['dist', 'node_modules', '.git']);

/** Paths are relative to `root`; what does not exist counts as empty. One after the other: hundreds of small files are read faster so. */
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

/** The stamp that was written when something was made, or '' when it was not. */
export async function readStamp(path) {
  return (await readFile(path, 'utf8').catch(() => '')).trim();
}
