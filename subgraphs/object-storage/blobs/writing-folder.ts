// Where a process has the files that it is writing. Several processes of a cluster share a disk: each holds a folder of its own for as long as
// it lives, so that whoever starts next knows which folders are nobody's, and removes them with what a dead process left in them.
import { randomBytes } from 'node:crypto';
import { mkdir, readdir, realpath, rm } from 'node:fs/promises';
import type { Server } from 'node:net';
import { join } from 'node:path';
import { ConfigError } from '../../../platform/config-error.ts';
import { holdFolder } from '../../../platform/hold-folder.ts';

const setting = 'objectserver.folder';

export class WritingFolder {
  readonly path: string;
  readonly #holder: Server;
  #number = 0;

  private constructor(path: string, holder: Server) {
    this.path = path;
    this.#holder = holder;
  }

  /** A new one within `folder`, which has those of all processes. */
  static async open(folder: string): Promise<WritingFolder> {
    await mkdir(folder, { recursive: true });
    const all = await realpath(folder);
    const path = join(all, randomBytes(16).toString('hex'));
    // Held before it is there: nobody can take it for that of a dead process.
    const holder = await holdFolder({ folder: path, setting, waitMs: 0 });
    await mkdir(path);
    for (const name of await readdir(all)) if (join(all, name) !== path) await removeIfLeft(join(all, name));
    return new WritingFolder(path, holder);
  }

  /** For a file of this process. */
  newPath(): string {
    this.#number += 1;
    return join(this.path, String(this.#number));
  }

  async close(): Promise<void> {
    await rm(this.path, { recursive: true, force: true });
    await new Promise<void>((resolve) => this.#holder.close(() => resolve()));
  }
}

async function removeIfLeft(path: string): Promise<void> {
  let holder: Server;
  try {
    holder = await holdFolder({ folder: path, setting, waitMs: 0 });
  } catch (error) {
    if (error instanceof ConfigError) return;
    throw error;
  }
  await rm(path, { recursive: true, force: true });
  await new Promise<void>((resolve) => holder.close(() => resolve()));
}
