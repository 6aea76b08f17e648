// The disk of a host: a file system in a file, mounted below /run, so that it can be full or frozen without the machine's being so.
import { chmod, mkdir, readFile, rm, rmdir, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { pathExists } from '../../embedded/find-program.ts';
import { runProgram } from '../../embedded/run-program.ts';
import { run } from '../switched-network.ts';

/** The file has holes: it takes what is written. */
const sizeMiB = 1_536;
const timeoutMs = 60_000;
const mostMounts = 20;
const filler = 'filled';

export interface DiskPlace {
  readonly image: string;
  readonly folder: string;
}

export class HostDisk {
  readonly folder: string;
  readonly #image: string;

  constructor({ image, folder }: DiskPlace) {
    this.#image = image;
    this.folder = folder;
  }

  /** Makes it when it is missing. Throws when there are no loop devices. */
  async mount(): Promise<void> {
    if (!(await pathExists(this.#image))) await this.#make();
    await mkdir(this.folder, { recursive: true, mode: 0o711 });
    await run(['mount', '-t', 'ext4', '-o', 'loop,nosuid,nodev', this.#image, this.folder]);
    await chmod(this.folder, 0o711);
    // Of a fault that was not taken back.
    await this.free();
  }

  async unmount(): Promise<void> {
    await unmountAll(this.folder);
  }

  /** Not while it is mounted. */
  async remove(): Promise<void> {
    await rm(this.#image, { force: true });
  }

  /** Until nothing is left, for anyone. */
  async fill(): Promise<void> {
    const path = join(this.folder, filler);
    const { bavail, bsize } = await statfs(this.folder);
    // What it reserves is not written, so that the machine's disk keeps its space. The rest is too little to be reserved.
    for (let size = bavail * bsize; size > bsize; size = Math.floor(size * 0.9))
      if ((await runProgram('fallocate', ['--length', String(size), path])).exitCode === 0) break;
    await runProgram('dd', ['if=/dev/zero', `of=${path}.rest`, 'bs=4k'], { timeoutMs });
  }

  async free(): Promise<void> {
    await Promise.all([filler, `${filler}.rest`].map((name) => rm(join(this.folder, name), { force: true })));
  }

  /** Whatever writes to it waits, and does not end. */
  async freeze(): Promise<void> {
    await run(['fsfreeze', '--freeze', this.folder]);
  }

  async thaw(): Promise<void> {
    await thaw(this.folder);
  }

  async #make(): Promise<void> {
    const temporary = `${this.#image}.new`;
    await rm(temporary, { force: true });
    await run(['truncate', `--size=${sizeMiB}M`, temporary]);
    await run(['mkfs.ext4', '-q', '-F', '-m', '0', temporary]);
    await run(['mv', temporary, this.#image]);
  }
}

/** Also what an earlier start has left: a frozen one is thawed, or what waits for it would never end. */
export async function unmountAll(folder: string): Promise<void> {
  for (let tried = 0; tried < mostMounts && (await isMounted(folder)); tried += 1) {
    await thaw(folder);
    const { exitCode } = await runProgram('umount', [folder], { timeoutMs });
    if (exitCode !== 0) await run(['umount', '--lazy', folder]);
  }
  await rmdir(folder).catch(() => undefined);
}

/** One that is not frozen, or not mounted, stays as it is. */
export async function thaw(folder: string): Promise<void> {
  if (await isMounted(folder)) await runProgram('fsfreeze', ['--unfreeze', folder]);
}

async function isMounted(folder: string): Promise<boolean> {
  const mounts = await readFile('/proc/self/mountinfo', 'utf8');
  return mounts.split('\n').some((line) => line.split(' ')[4] === folder);
}
