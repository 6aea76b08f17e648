// A backup that may be restored: its files are whole and unchanged, of this installation, and readable with the given private key.
import type { Keyring } from '../platform/secrets/keyring.ts';
import { decryptFile, requireUnchanged } from './age-file.ts';
import { faultsOf } from './faults.ts';
import { readLogIndex } from './log-index.ts';
import {
  dataName,
  type LogIndex,
  logFolderName,
  type Manifest,
  manifestName,
  manifestShape,
  requireSameKeys,
} from './manifest.ts';
import type { Place } from './place.ts';
import { readSealed } from './sealed-file.ts';

export interface BackupKeys {
  readonly keys: Keyring;
  /** Of the key files, by `FILE/ID`. */
  readonly fingerprints: Readonly<Record<string, string>>;
  /** Private keys of age. */
  readonly identities: readonly string[];
}

export interface OpenBackup {
  readonly place: Place;
  readonly manifest: Manifest;
  /** Undefined for a server without a binary log. */
  readonly index: LogIndex | undefined;
  readonly identities: readonly string[];
}

export function readManifest(place: Place, keys: Keyring): Promise<Manifest> {
  return readSealed(place, manifestName, { shape: manifestShape, keys });
}

/** What the backup and its log say. Their other files are not read. Throws BackupFaults. */
export async function openBackup(place: Place, given: BackupKeys): Promise<OpenBackup> {
  const { keys, fingerprints, identities } = given;
  const manifest = await readManifest(place, keys);
  requireSameKeys(manifest, fingerprints);
  const index = manifest.gtid === null ? undefined : await readLogIndex(place, keys);
  return { place, manifest, index, identities };
}

/** Every fault of its files. */
export function fileFaults({ place, manifest, index, identities }: OpenBackup): Promise<readonly string[]> {
  const pieces = index?.pieces ?? [];
  return faultsOf(
    async () => {
      await requireUnchanged(place, dataName, manifest.data);
      (await decryptFile(place, dataName, identities)).destroy();
    },
    ...pieces.map((piece) => () => requireUnchanged(place.at(logFolderName), piece.name, piece)),
  );
}
