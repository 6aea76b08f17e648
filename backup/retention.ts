// Deletes old backups. One goes only if enough newer ones were verified since, so a backup that nobody proved never replaces a proved one.
import type { BackupTarget } from './target.ts';
import { isVerified } from './verify.ts';

interface Retention {
  /** Newest verified backups that stay. Undefined: age alone decides. */
  readonly keep: number | undefined;
  /** Days that a backup stays. Undefined: number alone decides. */
  readonly keepDays: number | undefined;
  readonly now: Date;
}

const dayMs = 24 * 3_600_000;

/** Returns the names of the deleted backups, oldest first. */
export async function deleteOld(target: BackupTarget, retention: Retention): Promise<readonly string[]> {
  const { keep, keepDays, now } = retention;
  if (keep === undefined && keepDays === undefined) return [];
  const deleted: string[] = [];
  let verifiedLater = 0;
  for (const name of [...(await target.names())].reverse()) {
    const isOld = keepDays === undefined || now.getTime() - timeOf(name) > keepDays * dayMs;
    if (verifiedLater >= Math.max(1, keep ?? 1) && isOld) deleted.unshift(name);
    else if (await isVerified(target.root.at(name))) verifiedLater += 1;
  }
  for (const name of deleted) await target.remove(name);
  return deleted;
}

/** A backup's name is its time. */
export function timeOf(name: string): number {
  return Date.parse(name.replace(/T(\d\d)-(\d\d)-(\d\d)Z$/, 'T$1:$2:$3Z'));
}
