// A backup that may be restored: its files are whole and unchanged, of this installation, and readable with the given private key.
import { join } from 'node:path';
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
import { readSealed } from './sealed-file.ts';

export interface BackupKeys {
  readonly keys: Keyring;
  /** Of the key files, by `FILE/ID`. */
  readonly fingerprints: Readonly<Record<string, string>>;
  /** Private keys of age. */
  readonly identities: readonly string[];
}

export interface OpenBackup {
  readonly folder: string;
  readonly manifest: Manifest;
  /** Undefined for a server without a binary log. */
  readonly index: LogIndex | undefined;
  readonly identities: readonly string[];
}

export function readManifest(folder: string, keys: Keyring): Promise<Manifest> {
  return readSealed(join(folder, manifestName), manifestShape, keys);
}

/** What the backup and its log say. Their other files are not read. Throws BackupFaults. */
export async function openBackup(folder: string, given: BackupKeys): Promise<OpenBackup> {
  const { keys, fingerprints, identities } = given;
  const manifest = await readManifest(folder, keys);
  requireSameKeys(manifest, fingerprints);
  const index = manifest.gtid === null ? undefined : await readLogIndex(folder, keys);
  return { folder, manifest, index, identities };
}

/** Every fault of its files. */
export function fileFaults({ folder, manifest, index, identities }: OpenBackup): Promise<readonly string[]> {
  const data = join(folder, dataName);
  const pieces = index?.pieces ?? [];
  return faultsOf(
    async () => {
      await requireUnchanged(data, manifest.data);
      (await decryptFile(data, identities)).destroy();
    },
    ...pieces.map((piece) => () => requireUnchanged(join(folder, logFolderName, piece.name), piece)),
  );
}
