// The folder in which a process writes new files. Several processes of a cluster share a disk. Each locks its own folder while it lives, so
// that a starting process recognises folders of dead processes and removes them with their files.
import { randomBytes } from 'node:crypto';
import { mkdir, readdir, realpath, rm } from 'node:fs/promises';
import type { Server } from 'node:net';
import { join } from 'node:path';
import { ConfigError } from '../../../../platform/errors/config-error.ts';
import { holdFolder } from '../../../../platform/process/hold-folder.ts';

const setting = 'objectserver.folder';

export class WritingFolder {
  readonly path: string;
  readonly #holder: Server;
  #number = 0;

  private constructor(path: string, holder: Server) {
    this.path = path;
    this.#holder = holder;
  }

  /** Creates a folder for this process inside `folder`, which holds those of all processes. */
  static async open(folder: string): Promise<WritingFolder> {
    await mkdir(folder, { recursive: true });
    const all = await realpath(folder);
    const path = join(all, randomBytes(16).toString('hex'));
    // Locked before it exists: nobody can mistake it for the folder of a dead process.
    const holder = await holdFolder({ folder: path, setting, waitMs: 0 });
    await mkdir(path);
    for (const name of await readdir(all)) if (join(all, name) !== path) await removeIfLeft(join(all, name));
    return new WritingFolder(path, holder);
  }

  /** Path for a new file of this process. */
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
