// The small files of a node, beside those of HAProxy: each is replaced whole and readable by its owner alone.
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { WantedNode } from '../wanted/wanted-node.ts';
import { readWantedNode } from '../wanted/wanted-schema.ts';

export async function writePrivate(path: string, text: string, mode = 0o600): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  try {
    await writeFile(`${path}.new`, text, { mode });
    await rename(`${path}.new`, path);
  } catch (error) {
    // A full disk gets back what was written.
    await rm(`${path}.new`, { force: true }).catch(() => undefined);
    throw error;
  }
}

export function readText(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch(() => undefined);
}

/** The document that was last in effect; undefined: it is not known. */
export async function appliedOf(folder: string): Promise<WantedNode | undefined> {
  try {
    return readWantedNode(JSON.parse((await readText(join(folder, 'applied.json'))) ?? ''));
  } catch {
    return undefined;
  }
}

export function writeApplied(folder: string, node: WantedNode): Promise<void> {
  return writePrivate(join(folder, 'applied.json'), JSON.stringify(node));
}
