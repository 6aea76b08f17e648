// The small files of a node besides those of HAProxy. Each is replaced as a whole and readable by its owner alone.
import { chmod, chown, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { WantedNode } from '../../wire/wanted-node.ts';
import { readWantedNode } from '../../wire/wanted-schema.ts';

/** `gid`: a group that may read it if `mode` allows that. */
export async function writePrivate(path: string, text: string, mode = 0o600, gid?: number): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  try {
    await writeFile(`${path}.new`, text, { mode });
    if (gid !== undefined) {
      await chown(`${path}.new`, process.getuid?.() ?? -1, gid);
      await chmod(`${path}.new`, mode);
    }
    await rename(`${path}.new`, path);
  } catch (error) {
    // On a full disk this frees what was written.
    await rm(`${path}.new`, { force: true }).catch(() => undefined);
    throw error;
  }
}

export function readText(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch(() => undefined);
}

/** The document that was last in effect. Undefined if unknown. */
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
