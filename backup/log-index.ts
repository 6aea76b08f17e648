// The list of a backup's archived binary log.
import { hash } from 'node:crypto';
import type { Keyring } from '../platform/secrets/keyring.ts';
import { fault } from './faults.ts';
import { formatVersion, type LogIndex, logIndexName, logIndexShape, manifestName } from './manifest.ts';
import type { Place } from './place.ts';
import { readSealed, writeSealed } from './sealed-file.ts';

/** Of a backup's manifest. Throws BackupFaults if it is missing. */
export async function manifestSum(place: Place): Promise<string> {
  const text = await place.readText(manifestName);
  return hash('sha256', text ?? fault(`${place.shown}/${manifestName} is missing: this is no whole backup`));
}

/** `manifest`: SHA-256 of the manifest, which is written after the first list. */
export async function writeLogIndex(
  place: Place,
  content: Pick<LogIndex, 'pieces' | 'coveredUntil' | 'manifest'>,
  keys: Keyring,
): Promise<void> {
  await writeSealed(place, logIndexName, { format: formatVersion, ...content } satisfies LogIndex, keys);
}

/** Throws BackupFaults. */
export async function readLogIndex(place: Place, keys: Keyring): Promise<LogIndex> {
  const index = await readSealed(place, logIndexName, { shape: logIndexShape, keys });
  if (index.manifest !== (await manifestSum(place)))
    fault(`${place.shown}/${logIndexName} belongs to another backup: use another copy of this one`);
  return index;
}
