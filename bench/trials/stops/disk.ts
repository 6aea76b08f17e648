// The disk of the data folder: a file system of its own in a file, so that it can be filled and frozen.
import { mkdir, open, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { runProgram } from '../../../embedded/run-program.ts';

const mebibyte = 1024 * 1024;

export class Disk {
  readonly path: string;
  readonly #image: string;

  private constructor(path: string, image: string) {
    this.path = path;
    this.#image = image;
  }

  /** Throws where loop devices can't be used. */
  static async mount(folder: string, sizeMib: number): Promise<Disk> {
    const disk = new Disk(join(folder, 'disk'), join(folder, 'disk.ext4'));
    const image = await open(disk.#image, 'w');
    await image.truncate(sizeMib * mebibyte);
    await image.close();
    await mkdir(disk.path, { recursive: true });
    // Without blocks reserved for root: MariaDB is another user.
    await run('mkfs.ext4', ['-q', '-m', '0', disk.#image]);
    await run('mount', ['-o', 'loop', disk.#image, disk.path]);
    await rm(join(disk.path, 'lost+found'), { recursive: true });
    return disk;
  }

  async unmount(): Promise<void> {
    await this.thaw().catch(() => undefined);
    await run('umount', ['--lazy', this.path]);
    await rm(this.#image);
  }

  /** Leaves this much room; 0: not a byte. */
  async fill(leftMib: number): Promise<void> {
    const { bavail, bsize } = await statfs(this.path);
    const bytes = bavail * bsize - leftMib * mebibyte;
    if (bytes > 0) await run('fallocate', ['-l', String(bytes), this.#ballast]).catch(() => this.#fillSlowly(leftMib));
  }

  async empty(): Promise<void> {
    await rm(this.#ballast, { force: true });
  }

  /** Every write waits. */
  freeze(): Promise<void> {
    return run('fsfreeze', ['--freeze', this.path]);
  }

  thaw(): Promise<void> {
    return run('fsfreeze', ['--unfreeze', this.path]);
  }

  get #ballast(): string {
    return join(this.path, 'ballast');
  }

  /** Where the last blocks are those of an allocation's own bookkeeping. */
  async #fillSlowly(leftMib: number): Promise<void> {
    const ballast = await open(this.#ballast, 'a');
    try {
      const chunk = Buffer.alloc(mebibyte);
      for (;;) {
        const { bavail, bsize } = await statfs(this.path);
        const left = bavail * bsize - leftMib * mebibyte;
        if (left <= 0) return;
        await ballast.write(chunk.subarray(0, Math.min(mebibyte, left)));
      }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
    } finally {
      await ballast.close();
    }
  }
}

async function run(command: string, args: readonly string[]): Promise<void> {
  const { exitCode, stderr } = await runProgram(command, args, { timeoutMs: 60_000 });
  if (exitCode !== 0) throw new Error(`${command} ended with ${exitCode}: ${stderr.trim()}`);
}
