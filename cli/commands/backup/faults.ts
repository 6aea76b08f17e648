// Failures of backups as those of commands, and the options that `backup verify` and `restore` share.
import { readIdentities } from '../../../backup/age-file.ts';
import { BackupFaults } from '../../../backup/faults.ts';
import { fingerprintsOf } from '../../../backup/fingerprint.ts';
import type { BackupKeys } from '../../../backup/open-backup.ts';
import { platformMigrations } from '../../../compose/places.ts';
import type { MigrationOwner } from '../../../platform/database/migrate.ts';
import { migrationsOf } from '../../../platform/process/subgraph-row.ts';
import { keyFilePath } from '../../../platform/secrets/key-folder.ts';
import { openKeyring } from '../../../platform/secrets/keyring.ts';
import { subgraphRows } from '../../../subgraphs/rows.ts';
import { CommandFailure, CommandFaults, Interruption } from '../../failures.ts';
import { neededText } from '../../option.ts';
import { describeFailure } from '../../start-failure.ts';

export const openingOptions = {
  'keys-folder': neededText('FOLDER', 'Folder of the key files; "tidegate keys restore" makes it from an archive.'),
  identity: neededText('FILE', 'File with the private key of the backup, which "tidegate backup key" made.'),
} as const;

export const objectStoreLine =
  'An object store is found by AWS_ENDPOINT_URL, AWS_REGION, AWS_CA_BUNDLE, and AWS_ACCESS_KEY_ID with AWS_SECRET_ACCESS_KEY or a credentials file.';

/** Throws CommandFailure for what a person can correct. */
export async function asCommand<Result>(signal: AbortSignal, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (signal.aborted) throw new Interruption('nothing half done is left');
    if (error instanceof BackupFaults) throw new CommandFaults(error.faults);
    const described = describeFailure(error);
    if (described instanceof CommandFailure) throw described;
    throw new CommandFailure(error instanceof Error ? error.message : String(error));
  }
}

export async function backupKeys(folder: string, identityFile: string): Promise<BackupKeys> {
  return {
    keys: await openKeyring(keyFilePath(folder, 'sealing')),
    fingerprints: await fingerprintsOf(folder),
    identities: await readIdentities(identityFile),
  };
}

/** Of all tables that this version knows. */
export function allOwners(): readonly MigrationOwner[] {
  return [platformMigrations, ...migrationsOf(subgraphRows)];
}

export function mebi(bytes: number): string {
  return `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
}

/** Age of a time, in the largest unit that fits. */
export function ageOf(at: Date | null, now: Date = new Date()): string {
  if (at === null) return 'none';
  const seconds = Math.max(0, Math.round((now.getTime() - at.getTime()) / 1_000));
  const [size, unit] = [[86_400, 'd'] as const, [3_600, 'h'] as const, [60, 'min'] as const].find(
    ([each]) => seconds >= 2 * each,
  ) ?? [1, 's'];
  return `${at.toISOString()} (${Math.round(seconds / size)} ${unit} ago)`;
}
