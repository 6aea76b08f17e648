// The list of a backup's archived binary log.
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Keyring } from '../platform/secrets/keyring.ts';
import { fault } from './faults.ts';
import { formatVersion, type LogIndex, logIndexName, logIndexShape, manifestName } from './manifest.ts';
import { readSealed, writeSealed } from './sealed-file.ts';

export async function manifestSum(folder: string): Promise<string> {
  return createHash('sha256')
    .update(await readFile(join(folder, manifestName)))
    .digest('hex');
}

export async function writeLogIndex(
  folder: string,
  content: Pick<LogIndex, 'pieces' | 'coveredUntil'>,
  keys: Keyring,
): Promise<void> {
  const index: LogIndex = { format: formatVersion, manifest: await manifestSum(folder), ...content };
  await writeSealed(join(folder, logIndexName), index, keys);
}

/** Throws BackupFaults. */
export async function readLogIndex(folder: string, keys: Keyring): Promise<LogIndex> {
  const index = await readSealed(join(folder, logIndexName), logIndexShape, keys);
  if (index.manifest !== (await manifestSum(folder)))
    fault(`${join(folder, logIndexName)} belongs to another backup: use another copy of this one`);
  return index;
}
