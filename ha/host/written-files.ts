// Files that Tidegate writes for a host, and a person may change: what was changed is left as it is.

import { createHash } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import type { FileOwner } from '../../platform/secrets/key-file.ts';
import { isMissing, writeWhole } from '../../platform/secrets/key-file.ts';
import { JoinRefusal } from './join-refusal.ts';

export interface PlannedFile {
  readonly path: string;
  readonly text: string;
  readonly mode: number;
  /** Default: root. */
  readonly owner?: FileOwner;
}

/** SHA-256 by path. */
const written = z.record(z.string(), z.string());
const mostLineCharacters = 120;

/**
 * Throws JoinRefusal, which says what differs, if one is there that somebody else wrote, or that was changed since. Nothing is written
 * then.
 */
export async function refuseChanged(dataPath: string, files: readonly PlannedFile[]): Promise<void> {
  const known = await knownIn(dataPath);
  const differences: string[] = [];
  for (const { path, text } of files) {
    const there = await textOf(path);
    if (there === undefined || there === text || known[path] === hashOf(there)) continue;
    differences.push(`${path}: ${differenceOf(there, text)}`);
  }
  if (differences.length > 0)
    throw new JoinRefusal(
      'FILES_DIFFER',
      `these files are not as they would be written, and nothing is replaced that was changed: move them away, or make them the same\n${differences.join('\n')}`,
    );
}

/** After `refuseChanged`. */
export async function writeFiles(dataPath: string, files: readonly PlannedFile[]): Promise<void> {
  const known = { ...(await knownIn(dataPath)) };
  for (const { path, text, mode, owner = { uid: 0, gid: 0 } } of files) {
    await mkdir(dirname(path), { recursive: true, mode: 0o755 });
    if ((await textOf(path)) !== text) await writeWhole(path, text, mode, owner);
    known[path] = hashOf(text);
  }
  await writeWhole(recordPath(dataPath), `${JSON.stringify(known, null, 2)}\n`);
}

function recordPath(dataPath: string): string {
  return join(dataPath, 'ha', 'written.json');
}

async function knownIn(dataPath: string): Promise<Readonly<Record<string, string>>> {
  const text = await textOf(recordPath(dataPath));
  return text === undefined ? {} : written.parse(JSON.parse(text));
}

function textOf(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch((error: unknown) => {
    if (isMissing(error)) return undefined;
    throw error;
  });
}

function differenceOf(there: string, wanted: string): string {
  const [lines, others] = [there.split('\n'), wanted.split('\n')];
  const at = lines.findIndex((line, index) => line !== others[index]);
  const index = at === -1 ? lines.length : at;
  const show = (line: string | undefined) =>
    line === undefined ? 'nothing' : JSON.stringify(line.slice(0, mostLineCharacters));
  return `line ${index + 1} is ${show(lines[index])}, and would be ${show(others[index])}`;
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
