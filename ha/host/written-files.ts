// Files that Tidegate writes for a host and that a person may change. The last line of each records a hash of the content and the
// data folder. A file that was changed since, or belongs to another host that is still in a cluster, is left unchanged.

import { createHash } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { FileOwner } from '../../platform/secrets/key-file.ts';
import { isMissing, writeWhole } from '../../platform/secrets/key-file.ts';
import { hasHostFile } from './host-file.ts';
import { JoinRefusal } from './join-refusal.ts';

export interface PlannedFile {
  readonly path: string;
  /** Whole lines, in a format whose comments begin with `#`. */
  readonly text: string;
  readonly mode: number;
  /** Default: root. */
  readonly owner?: FileOwner;
}

const stamp = /^# As written for (.+): ([0-9a-f]{64})\n$/;
const mostLineCharacters = 120;

/** Throws JoinRefusal with the differences if an existing file may not be replaced. Nothing is written then. */
export async function refuseChanged(dataPath: string, files: readonly PlannedFile[]): Promise<void> {
  const differences: string[] = [];
  for (const { path, text } of files) {
    const there = await textOf(path);
    if (there === undefined || there === stamped(dataPath, text)) continue;
    const [plain, of] = unstamped(there);
    if (of === undefined) differences.push(`${path}: ${differenceOf(plain, text)}`);
    else if (of !== dataPath && (await hasHostFile(of))) differences.push(`${path}: it is of the host in ${of}`);
  }
  if (differences.length > 0)
    throw new JoinRefusal(
      'FILES_DIFFER',
      `these files are not as they were written, and are not replaced: move them away, or make them the same\n${differences.join('\n')}`,
    );
}

/** Call `refuseChanged` first. */
export async function writeFiles(dataPath: string, files: readonly PlannedFile[]): Promise<void> {
  for (const { path, text, mode, owner = { uid: 0, gid: 0 } } of files) {
    await mkdir(dirname(path), { recursive: true, mode: 0o755 });
    await writeWhole(path, stamped(dataPath, text), mode, owner);
  }
}

function stamped(dataPath: string, text: string): string {
  return `${text}# As written for ${dataPath}: ${hashOf(dataPath, text)}\n`;
}

/** `dataPath`: the data folder for which the file was written. Undefined if it was written elsewhere, or changed since. */
function unstamped(there: string): readonly [text: string, dataPath: string | undefined] {
  const at = there.lastIndexOf('\n', there.length - 2) + 1;
  const [, dataPath = '', hash] = stamp.exec(there.slice(at)) ?? [];
  if (hash === undefined) return [there, undefined];
  const text = there.slice(0, at);
  return [text, hash === hashOf(dataPath, text) ? dataPath : undefined];
}

function textOf(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch((error: unknown) => {
    if (isMissing(error)) return undefined;
    throw error;
  });
}

function differenceOf(there: string, wanted: string): string {
  const [lines, others] = [there.split('\n'), wanted.split('\n')];
  const found = lines.findIndex((line, index) => line !== others[index]);
  const index = found === -1 ? lines.length : found;
  const show = (line: string | undefined) =>
    line === undefined ? 'nothing' : JSON.stringify(line.slice(0, mostLineCharacters));
  return `line ${index + 1} is ${show(lines[index])}, and would be ${show(others[index])}`;
}

function hashOf(dataPath: string, text: string): string {
  return createHash('sha256').update(`${dataPath}\n${text}`).digest('hex');
}
