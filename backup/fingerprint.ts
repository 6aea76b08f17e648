// Fingerprints of the keys in key files: they show that two files have the same keys, and nothing else.
import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fingerprint } from '../ha/agent/key-fingerprints.ts';

/** By `FILE/ID`, of the key files (`NAME.keys`) in a folder and of `more`. */
export async function fingerprintsOf(folder: string, more: readonly string[] = []): Promise<Record<string, string>> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.keys')).sort();
  const found: Record<string, string> = {};
  for (const path of [...names.map((name) => join(folder, name)), ...more]) {
    const content: unknown = JSON.parse(await readFile(path, 'utf8'));
    const { keys = {} } = content as { readonly keys?: Readonly<Record<string, unknown>> };
    for (const [id, key] of Object.entries(keys)) found[`${basename(path, '.keys')}/${id}`] = fingerprintOfKey(key);
  }
  return found;
}

function fingerprintOfKey(key: unknown): string {
  return fingerprint(typeof key === 'string' ? key : JSON.stringify(key));
}
