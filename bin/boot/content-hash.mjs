// A hash over files and folders, by name and content: what was made from them is made again when it changes.

import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

const LEFT_OUT = new Set(['dist', 'node_modules', '.git']);

/** Paths are relative to `root`; what does not exist counts as empty. */
export async function contentHash(root, paths) {
  const hash = createHash('sha256');
  for (const path of paths) await addTo(hash, root, path);
  return hash.digest('hex');
}

async function addTo(hash, root, path) {
  let content;
  try {
    content = await readFile(join(root, path));
  } catch (error) {
    if (error.code === 'ENOENT') return;
    if (error.code !== 'EISDIR') throw error;
    const names = (await readdir(join(root, path))).filter((name) => !LEFT_OUT.has(name)).sort();
    for (const name of names) await addTo(hash, root, join(path, name));
    return;
  }
  hash.update(`${path}\0${content.length}\0`).update(content);
}

/** The stamp that was written when something was made, or '' when it was not. */
export async function readStamp(path) {
  return (await readFile(path, 'utf8').catch(() => '')).trim();
}
