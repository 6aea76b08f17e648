// The folder of all backups of one installation. A backup is a subfolder whose name is its time. It is written under another name, and renamed
// when all of it is on disk. One process at a time writes to the folder.
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fault, isMissingFile } from './faults.ts';
import { FolderPlace, type Place, syncFolder } from './place.ts';
import {
  type BackupTarget,
  backupPattern,
  markName,
  nameOf,
  refuseForeign,
  requireOwnMark,
  requireRoom,
  writerName,
} from './target.ts';
import { ownWriterMark, refuseLivingWriter } from './writer-mark.ts';

const unfinished = '.unfinished';

export class FolderTarget implements BackupTarget {
  readonly root: Place;
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
    this.root = new FolderPlace(path);
  }

  async claim(installation: string): Promise<void> {
    await mkdir(this.#path, { recursive: true, mode: 0o700 });
    const known = [new RegExp(`^${markName}(\\.new)?$`), backupPattern, /^\.writer$/, /^\.unfinished$/, /^\.deleted-/];
    const names = await readdir(this.#path);
    refuseForeign(
      this.#path,
      names.filter((name) => !known.some((each) => each.test(name))),
    );
    await requireOwnMark(this.root, installation);
  }

  async names(): Promise<readonly string[]> {
    const names = await readdir(this.#path).catch((error: unknown) => {
      if (isMissingFile(error)) return [];
      throw error;
    });
    return names.filter((name) => backupPattern.test(name)).sort();
  }

  /** What a killed writer left is removed first. */
  async alone<Result>(work: () => Promise<Result>): Promise<Result> {
    await this.#takeTurn();
    try {
      for (const name of await readdir(this.#path))
        if (name === unfinished || name.startsWith('.deleted-'))
          await rm(this.#folder(name), { recursive: true, force: true });
      return await work();
    } finally {
      await rm(this.#folder(writerName), { force: true });
    }
  }

  requireRoom(neededBytes: number): Promise<void> {
    return requireRoom(this.#path, neededBytes, 'a backup');
  }

  async begin(): Promise<Place> {
    await mkdir(this.#folder(unfinished), { mode: 0o700 });
    return this.root.at(unfinished);
  }

  async finish(at: Date): Promise<string> {
    await syncFolder(this.#folder(unfinished));
    const name = nameOf(at);
    await rename(this.#folder(unfinished), this.#folder(name));
    await syncFolder(this.#path);
    return name;
  }

  async abandon(): Promise<void> {
    await rm(this.#folder(unfinished), { recursive: true, force: true });
  }

  /** At once: a killed process leaves no part of a backup under its name. */
  async remove(name: string): Promise<void> {
    await rename(this.#folder(name), this.#folder(`.deleted-${name}`));
    await syncFolder(this.#path);
    await rm(this.#folder(`.deleted-${name}`), { recursive: true, force: true });
  }

  #folder(name: string): string {
    return join(this.#path, name);
  }

  async #takeTurn(): Promise<void> {
    const path = this.#folder(writerName);
    const text = ownWriterMark();
    for (let tries = 0; tries < 2; tries += 1) {
      try {
        return await writeFile(path, text, { flag: 'wx', mode: 0o600 });
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      }
      refuseLivingWriter(await readFile(path, 'utf8').catch(() => ''), this.#path, path);
      await rm(path, { force: true });
    }
    fault(`another process has begun to write to ${this.#path}: try again when it has ended`);
  }
}
