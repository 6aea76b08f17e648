// One part of the product in the trial of restores, on a separate database that is backed up, changed and restored.
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { writeCommitRecord } from '../../platform/database/commit-record.ts';
import type { Database, Sql } from '../../platform/database/database.ts';
import { RestoreGuard, type RestoreGuardOptions } from '../../platform/restore/restore-guard.ts';
import { FileTextMemory } from '../../platform/restore/text-memory.ts';
import { newUuid } from '../../platform/values/ids.ts';
import type { Random } from '../random.ts';
import { untilTrue } from '../until.ts';

/** The result of one restore. */
export interface Found {
  /** Between the backup and the restore. */
  readonly changes: number;
  /** Time from the end of the restore, or the start of a process after it, until the lossy timeline began. */
  readonly noticedAfterMs: number;
  readonly unnoticed: number;
  readonly repeatedCalls?: number;
  readonly revived?: number;
  readonly eventGaps?: number;
  /** Time from the lossy timeline, or from the contact if that is later, until servers had the state of the database. */
  readonly staleAfterMs?: number;
  /** Things that are active in the database and are not served in time. */
  readonly activeButNotServed?: number;
  /** Two contents at one position, or things that are served and not in the database. */
  readonly diverged?: number;
}

export interface TrialOfRestore {
  readonly number: number;
  readonly random: Random;
  /** Most changes. */
  readonly most: number;
}

export interface RestoredPlace {
  trial(trial: TrialOfRestore): Promise<Found>;
  stop(): Promise<void>;
}

/** Longest wait for the consequences of a restore. */
export const mostMs = 60_000;

/** A started guard with its memory in a file. */
export async function guardOf(
  ground: Pick<RestoreGuardOptions, 'db' | 'wake' | 'log' | 'owner'>,
  folder: string,
): Promise<RestoreGuard> {
  const { db, wake, log, owner } = ground;
  const memories = [new FileTextMemory(join(folder, 'commits'))];
  const guard = new RestoreGuard({ db, wake, log, owner, memories, onSetBack: 'continue' });
  await guard.start();
  return guard;
}

/** The memory of revoked access. */
export const revokedMemory = (folder: string) => new FileTextMemory(join(folder, 'revoked'));

/** The traces of a mutation, for changes that are written to the rows directly. Afterwards the guard's file has them. */
export async function commit(db: Database): Promise<void> {
  await db.transaction(async (tx) => void (await writeCommitRecord(tx, newUuid())), { endsWork: true });
  await sleep(2_500);
}

/** Waits for the lossy timeline. */
export async function notice(db: Sql, waitMs = mostMs): Promise<Pick<Found, 'noticedAfterMs' | 'unnoticed'>> {
  const sinceMs = performance.now();
  const noticed = await untilTrue(waitMs, async () => (await unlifted(db)) > 0);
  return { noticedAfterMs: Math.round(performance.now() - sinceMs), unnoticed: noticed ? 0 : 1 };
}

async function unlifted(db: Sql): Promise<number> {
  return (await db.query('SELECT 1 FROM db_timeline WHERE lossy = 1 AND lifted_at IS NULL')).length;
}

export async function lift(db: Database): Promise<void> {
  await db.execute('UPDATE db_timeline SET lifted_at = NOW(3)');
}
