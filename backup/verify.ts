// Proves a backup: all of its files are read, its data is rebuilt in a folder that is removed afterwards, and its tables and audit trail are
// checked and used by a process. A mark beside the manifest then says so; only a backup with this mark lets older ones be deleted.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import type { DatabaseLocation } from '../platform/database/database.ts';
import type { MigrationOwner } from '../platform/database/migrate.ts';
import type { CheckedCopy } from './check-copy.ts';
import { checkCopy } from './check-copy.ts';
import { fault, faultsOf } from './faults.ts';
import { manifestSum } from './log-index.ts';
import { type Manifest, verifiedName } from './manifest.ts';
import { type BackupKeys, fileFaults, openBackup } from './open-backup.ts';
import type { Place } from './place.ts';
import { requireSameSeries } from './private-server.ts';
import { rebuild } from './rebuild.ts';
import { type BackupTarget, chosenBackup, requireRoom } from './target.ts';

const markShape = z.object({ manifest: z.string(), at: z.iso.datetime() });
/** Of the copy: it is unpacked, prepared and gets its log. */
const roomFactor = 1.2;

interface Verified<Used> extends CheckedCopy {
  readonly place: Place;
  readonly manifest: Manifest;
  /** Pieces of the archived log, all of which were applied. */
  readonly pieces: number;
  /** What `use` returned. */
  readonly used: Used;
}

interface VerifyOptions<Used> {
  /** One backup, or all: then the newest. */
  readonly from: BackupTarget;
  readonly given: BackupKeys;
  readonly owners: readonly MigrationOwner[];
  /** Uses the copy after it was checked and before it is marked. Throws BackupFaults. */
  readonly use: (copy: DatabaseLocation, checked: CheckedCopy) => Promise<Used>;
  readonly signal: AbortSignal;
}

/** Throws BackupFaults. */
export async function verifyBackup<Used>(options: VerifyOptions<Used>): Promise<Verified<Used>> {
  const { from, given, owners, use, signal } = options;
  const place = await chosenBackup(from, async () => true);
  const backup = await openBackup(place, given);
  const faults = [
    ...(await faultsOf(() => requireSameSeries(backup.manifest.server.version))),
    ...(await fileFaults(backup)),
  ];
  if (faults.length > 0) fault(...faults);
  const { manifest, index } = backup;
  const work = await mkdtemp(join(tmpdir(), 'tidegate-verify-'));
  try {
    await requireRoom(work, neededBytes(backup), 'the unpacked backup');
    const found = await rebuild({ backup, into: join(work, 'data'), until: undefined, signal }, async (server) => {
      const checked = await checkCopy(server, manifest, owners);
      return { ...checked, used: await use(server.location, checked) };
    });
    const mark = { manifest: await manifestSum(place), at: new Date().toISOString() };
    await place.replace(verifiedName, `${JSON.stringify(mark)}\n`);
    return { ...found, place, manifest, pieces: index?.pieces.length ?? 0 };
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

export function neededBytes({
  manifest,
  index,
}: Pick<Awaited<ReturnType<typeof openBackup>>, 'manifest' | 'index'>): number {
  const logBytes = (index?.pieces ?? []).reduce((sum, { logBytes: bytes }) => sum + bytes, 0);
  return (manifest.dataBytes + 2 * logBytes) * roomFactor;
}

/** Whether the backup has the mark, for the manifest that it has now. */
export async function isVerified(place: Place): Promise<boolean> {
  const text = await place.readText(verifiedName);
  if (text === undefined) return false;
  try {
    return markShape.parse(JSON.parse(text)).manifest === (await manifestSum(place));
  } catch {
    return false;
  }
}
