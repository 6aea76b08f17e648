// The folder of all backups of one installation. A backup is a subfolder whose name is its time. It is written under another name, and renamed
// when all of it is on disk. One process at a time writes to the folder.
import { mkdir, open, readdir, readFile, rename, rm, statfs, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { isAlive, type ProcessMark, processMark } from '../embedded/process-mark.ts';
import { fault, isMissingFile } from './faults.ts';
import { manifestName } from './manifest.ts';
import { syncFolder, writeWhole } from './sealed-file.ts';

const markName = 'tidegate-backups.json';
const writerName = '.writer';
const unfinished = '.unfinished';
const backupPattern = /^\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ$/;
const known = [new RegExp(`^${markName}(\\.new)?$`), backupPattern, /^\.writer$/, /^\.unfinished$/, /^\.deleted-/];

const markShape = z.object({ format: z.literal(1), installation: z.string() });
const writerShape = z.object({ host: z.string(), pid: z.number(), startTicks: z.string(), bootId: z.string() });

/** Object stores have no rename, which a backup that is never half done needs. */
export function requireFolder(address: string): void {
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(address))
    fault(`${address} is no folder: give a folder, and copy it to the object store with a program for that`);
}

export class BackupTarget {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  /** Makes the folder if it is missing. Throws BackupFaults for one with other files, or of another installation. */
  static async open(path: string, installation: string): Promise<BackupTarget> {
    requireFolder(path);
    await mkdir(path, { recursive: true, mode: 0o700 });
    const names = await readdir(path);
    const foreign = names.filter((name) => !known.some((each) => each.test(name)));
    if (foreign.length > 0)
      return fault(`${path} has other files (${foreign.slice(0, 5).join(', ')}): give a folder for backups alone`);
    const mark = await readFile(join(path, markName), 'utf8').catch((error: unknown) => {
      if (isMissingFile(error)) return undefined;
      throw error;
    });
    if (mark === undefined) await writeWhole(join(path, markName), `${JSON.stringify({ format: 1, installation })}\n`);
    else if (markShape.safeParse(jsonOf(mark)).data?.installation !== installation)
      return fault(`${path} has the backups of another installation: give another folder`);
    return new BackupTarget(path);
  }

  /** Names of the whole backups, oldest first. */
  names(): Promise<readonly string[]> {
    return backupsIn(this.path);
  }

  folder(name: string): string {
    return join(this.path, name);
  }

  /** Holds off other writers until `work` ends. What a killed one left is removed first. */
  async alone<Result>(work: () => Promise<Result>): Promise<Result> {
    await this.#takeTurn();
    try {
      for (const name of await readdir(this.path))
        if (name === unfinished || name.startsWith('.deleted-'))
          await rm(this.folder(name), { recursive: true, force: true });
      return await work();
    } finally {
      await rm(this.folder(writerName), { force: true });
    }
  }

  /** An empty folder for a backup that is being written. */
  async begin(): Promise<string> {
    const path = this.folder(unfinished);
    await mkdir(path, { mode: 0o700 });
    return path;
  }

  /** Makes it a backup, at once and as a whole. Returns its name. */
  async finish(at: Date): Promise<string> {
    await syncFolder(this.folder(unfinished));
    const name = `${at.toISOString().slice(0, 19).replaceAll(':', '-')}Z`;
    await rename(this.folder(unfinished), this.folder(name));
    await syncFolder(this.path);
    return name;
  }

  async abandon(): Promise<void> {
    await rm(this.folder(unfinished), { recursive: true, force: true });
  }

  /** At once: a killed process leaves no part of a backup under its name. */
  async remove(name: string): Promise<void> {
    await rename(this.folder(name), this.folder(`.deleted-${name}`));
    await syncFolder(this.path);
    await rm(this.folder(`.deleted-${name}`), { recursive: true, force: true });
  }

  async #takeTurn(): Promise<void> {
    const own = processMark(process.pid);
    if (own === undefined) throw new Error('this process has no entry in /proc');
    const path = this.folder(writerName);
    const text = JSON.stringify({ host: hostname(), ...own });
    for (let tries = 0; tries < 2; tries += 1) {
      try {
        return await writeFile(path, text, { flag: 'wx', mode: 0o600 });
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      }
      await this.#refuseLivingWriter(path);
      await rm(path, { force: true });
    }
    fault(`another process has begun to write to ${this.path}: try again when it has ended`);
  }

  async #refuseLivingWriter(path: string): Promise<void> {
    const writer = writerShape.safeParse(jsonOf(await readFile(path, 'utf8').catch(() => ''))).data;
    // A process that was killed while it wrote the file.
    if (writer === undefined) return;
    if (writer.host !== hostname())
      fault(`${writer.host} writes to ${this.path}: wait for it or, if that host is gone, remove ${path}`);
    if (isAlive(writer satisfies ProcessMark))
      fault(`process ${writer.pid} writes to ${this.path}: try again when it has ended`);
  }
}

/** Oldest first. None if there is no such folder. */
export async function backupsIn(path: string): Promise<readonly string[]> {
  const names = await readdir(path).catch((error: unknown) => {
    if (isMissingFile(error)) return [];
    throw error;
  });
  return names.filter((name) => backupPattern.test(name)).sort();
}

/** The folder of one backup, from its own path or from that of all, of which the newest is taken that `fits`. Throws BackupFaults. */
export async function chosenBackup(path: string, fits: (folder: string) => Promise<boolean>): Promise<string> {
  requireFolder(path);
  if (await exists(join(path, manifestName))) return path;
  const folders = (await backupsIn(path)).map((name) => join(path, name));
  for (const folder of folders.reverse()) if (await fits(folder)) return folder;
  return folders.length === 0
    ? fault(`${path} has no backup: give the folder that "tidegate backup create --to" wrote to`)
    : fault(`no backup in ${path} is older than that time: give a later --at`);
}

async function exists(path: string): Promise<boolean> {
  const file = await open(path, 'r').catch((error: unknown) => {
    if (isMissingFile(error)) return undefined;
    throw error;
  });
  await file?.close();
  return file !== undefined;
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

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
