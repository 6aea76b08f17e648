// All backups of one installation, in a folder or in a bucket: whole ones have names, and one process at a time writes.
import { statfs } from 'node:fs/promises';
import { z } from 'zod';
import { fault } from './faults.ts';
import { manifestName } from './manifest.ts';
import type { Place } from './place.ts';
import { jsonOf } from './writer-mark.ts';

export const markName = 'tidegate-backups.json';
export const writerName = '.writer';
export const backupPattern = /^\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ$/;

const markShape = z.object({ format: z.literal(1), installation: z.string() });

export interface BackupTarget {
  /** Its places are the backups, by name. */
  readonly root: Place;
  /** Names of the whole backups, oldest first. */
  names(): Promise<readonly string[]>;
  /** Makes it the installation's. Throws BackupFaults if it has other files, or is another installation's. */
  claim(installation: string): Promise<void>;
  /** Holds off other writers until `work` ends. What a killed one left is removed first. */
  alone<Result>(work: () => Promise<Result>): Promise<Result>;
  /** Throws BackupFaults. */
  requireRoom(neededBytes: number): Promise<void>;
  /** An empty place for a backup that is being written. It counts from `finish` on, or once it has its manifest. */
  begin(at: Date): Promise<Place>;
  /** Returns its name. */
  finish(at: Date): Promise<string>;
  abandon(): Promise<void>;
  /** It stops to count at once. */
  remove(name: string): Promise<void>;
}

/** A backup's name is its time. */
export function nameOf(at: Date): string {
  return `${at.toISOString().slice(0, 19).replaceAll(':', '-')}Z`;
}

export function refuseForeign(shown: string, foreign: readonly string[]): void {
  if (foreign.length > 0)
    fault(`${shown} has other files (${foreign.slice(0, 5).join(', ')}): give a folder for backups alone`);
}

/** Writes the mark of the installation if there is none. Throws BackupFaults for that of another one. */
export async function requireOwnMark(root: Place, installation: string): Promise<void> {
  const mark = await root.readText(markName);
  if (mark === undefined) await root.replace(markName, markOf(installation));
  else if (markShape.safeParse(jsonOf(mark)).data?.installation !== installation)
    fault(`${root.shown} has the backups of another installation: give another folder`);
}

export function markOf(installation: string): string {
  return `${JSON.stringify({ format: 1, installation })}\n`;
}

/** One backup, if the target is one, or of all the newest that `fits`. Throws BackupFaults. */
export async function chosenBackup(target: BackupTarget, fits: (place: Place) => Promise<boolean>): Promise<Place> {
  const { root } = target;
  if ((await root.readText(manifestName)) !== undefined) return root;
  const places = (await target.names()).map((name) => root.at(name));
  for (const place of places.reverse()) if (await fits(place)) return place;
  return places.length === 0
    ? fault(`${root.shown} has no backup: give the place that "tidegate backup create --to" wrote to`)
    : fault(`no backup in ${root.shown} is older than that time: give a later --at`);
}

/** Throws BackupFaults. */
export async function requireRoom(path: string, neededBytes: number, what: string): Promise<void> {
  const { bavail, bsize } = await statfs(path);
  const free = bavail * bsize;
  if (free < neededBytes)
    fault(`${path} has ${mebi(free)} MiB free, and ${what} needs about ${mebi(neededBytes)}: make room`);
}

function mebi(bytes: number): number {
  return Math.ceil(bytes / 1024 / 1024);
}
