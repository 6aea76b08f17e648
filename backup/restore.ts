// Restores a backup into an empty folder, up to a moment. Everything that can be refused is refused before a byte is written, and the folder gets
// its name when all of it is on disk.
import { readdir } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import { Database } from '../platform/database/database.ts';
import type { MigrationOwner } from '../platform/database/migrate.ts';
import { noticeSetBack, readHistory } from '../platform/events/database-history.ts';
import { createLogger } from '../platform/log/log.ts';
import { type CheckedCopy, checkCopy } from './check-copy.ts';
import { fillFolder, requireEmpty } from './empty-folder.ts';
import { fault, faultsOf } from './faults.ts';
import type { Manifest } from './manifest.ts';
import { type BackupKeys, fileFaults, type OpenBackup, openBackup, readManifest } from './open-backup.ts';
import type { Place } from './place.ts';
import { type PrivateServer, requireSameSeries } from './private-server.ts';
import { rebuild } from './rebuild.ts';
import { type BackupTarget, chosenBackup, requireRoom } from './target.ts';
import { neededBytes } from './verify.ts';

interface RestoreOptions {
  /** One backup, or all: then the newest that is older than `at`. */
  readonly from: BackupTarget;
  readonly to: string;
  /** Undefined: up to the newest archived write. */
  readonly at: Date | undefined;
  readonly given: BackupKeys;
  readonly owners: readonly MigrationOwner[];
  readonly signal: AbortSignal;
}

interface Restored extends CheckedCopy {
  readonly place: Place;
  readonly manifest: Manifest;
}

/** Throws BackupFaults. */
export async function restoreBackup(options: RestoreOptions): Promise<Restored> {
  const { given, owners, signal } = options;
  const to = resolve(options.to);
  const at = options.at && new Date(Math.floor(options.at.getTime() / 1_000) * 1_000);
  const place = await chosenBackup(options.from, async (each) => {
    // A backup that can't be read is reported, and not passed over.
    const manifest = await readManifest(each, given.keys);
    return at === undefined || Date.parse(manifest.copiedAt) <= at.getTime();
  });
  const backup = await openBackup(place, given);
  await refuseAll(backup, to, at, owners);
  const checked = await fillFolder(to, (into) =>
    rebuild({ backup, into, until: at, signal }, async (server) => {
      const found = await checkCopy(server, backup.manifest, owners);
      await beginTimeline(server, basename(place.shown), found);
      return found;
    }),
  );
  return { ...checked, place, manifest: backup.manifest };
}

async function refuseAll(
  backup: OpenBackup,
  to: string,
  at: Date | undefined,
  owners: readonly MigrationOwner[],
): Promise<void> {
  const faults = await faultsOf(
    () => requireEmpty(to),
    () => requireRoom(dirname(to), neededBytes(backup), 'the restored database'),
    async () => requireRecorded(backup, at),
    () => requireKnown(backup.manifest, owners),
    () => requireSameSeries(backup.manifest.server.version),
    async () => {
      const found = await fileFaults(backup);
      if (found.length > 0) fault(...found);
    },
  );
  if (faults.length > 0) fault(...faults);
}

function requireRecorded({ manifest, index }: OpenBackup, at: Date | undefined): void {
  if (at === undefined) return;
  const until = index?.coveredUntil ?? manifest.copiedAt;
  if (at.getTime() < Date.parse(manifest.copiedAt))
    fault(`--at: ${at.toISOString()} is before the end of this copy, ${manifest.copiedAt}: give an older backup`);
  // Nothing says what was committed after the last archived second.
  if (at.getTime() > Date.parse(until))
    fault(`--at: ${at.toISOString()} is after the archived log, which ends at ${until}: give an earlier time`);
}

/** Before the copy is unpacked; the rebuilt database is asked again. */
async function requireKnown(manifest: Manifest, owners: readonly MigrationOwner[]): Promise<void> {
  const names = new Set<string>();
  for (const { owner, folder } of owners) for (const name of await readdir(folder)) names.add(`${owner}/${name}`);
  const unknown = manifest.migrations.filter(({ name, expands }) => !names.has(name) && !expands);
  if (unknown.length > 0)
    fault(
      `the backup is of version ${manifest.product.version} and has migrations that this version does not know (${unknown.map(({ name }) => name).join(', ')}): restore it with that version`,
    );
}

/** Writes after the backup are lost, and no process may take it for the database that they were in. */
async function beginTimeline(server: PrivateServer, name: string, { newestWriteAt }: CheckedCopy): Promise<void> {
  const log = createLogger({ level: 'silent', pretty: false, name: 'restore' });
  const db = new Database({ connection: server.location, connectionLimit: 5, log });
  try {
    const reason = `the backup ${name} was restored; its newest commit is of ${newestWriteAt?.toISOString() ?? 'no time'}`;
    const begun = await noticeSetBack(db, log, {
      ...{ history: await readHistory(db), reason },
      isStillTrue: async () => true,
    });
    if (!begun) throw new Error('no lossy timeline began');
  } finally {
    await db.close();
  }
}
