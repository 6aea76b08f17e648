// A separate disk: a file system in a file, so that it can be full or frozen without affecting the machine. For hosts of the lab, and for
// trials.
// needs: e2fsprogs, mount, root
import { spawn } from 'node:child_process';
import { chmod, mkdir, readFile, rm, rmdir, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { pathExists } from '../embedded/find-program.ts';
import { runProgram } from '../embedded/run-program.ts';
import { type Claim, ownClaims } from './claims/claims.ts';
import { run } from './switched-network.ts';

/** The file is sparse: it occupies only what is written. */
const usualSizeMiB = 1_536;
const mebibyte = 1024 * 1024;
const block = 4_096;
const timeoutMs = 60_000;
const mostMounts = 20;
const filler = 'filled';

interface DiskPlace {
  readonly image: string;
  /** Mount point. */
  readonly folder: string;
  readonly sizeMiB?: number;
}

export class LoopDisk {
  readonly folder: string;
  readonly #image: string;
  readonly #sizeMiB: number;

  constructor({ image, folder, sizeMiB = usualSizeMiB }: DiskPlace) {
    this.#image = image;
    this.folder = folder;
    this.#sizeMiB = sizeMiB;
  }

  /** Creates it if it is missing. Throws if there are no loop devices. */
  async mount(): Promise<void> {
    if (!(await pathExists(this.#image))) await this.#make();
    await ownClaims.claim(this.#claim);
    await mkdir(this.folder, { recursive: true, mode: 0o711 });
    await run(['mount', '-t', 'ext4', '-o', 'loop,nosuid,nodev', this.#image, this.folder]);
    await chmod(this.folder, 0o711);
    // Left by a fault that was not reverted.
    await this.free();
  }

  async unmount(): Promise<void> {
    await unmountAll(this.folder);
    ownClaims.release(this.#claim);
  }

  /** If it is still mounted, unmounting frees it. */
  async remove(): Promise<void> {
    await rm(this.#image, { force: true });
  }

  /** Fills the disk until no more than this is left, for any user. */
  async fill(leftMiB = 0): Promise<void> {
    const path = join(this.folder, filler);
    const tooMuch = async () => {
      const { bavail, bsize } = await statfs(this.folder);
      return bavail * bsize - leftMiB * mebibyte;
    };
    // Allocated without writing, so that the machine's disk keeps its space. The rest is too small to allocate.
    for (let size = await tooMuch(); size > block; size = Math.floor(size * 0.9))
      if ((await runProgram('fallocate', ['--length', String(size), path])).exitCode === 0) break;
    const count = Math.ceil((await tooMuch()) / block);
    if (leftMiB > 0 && count <= 0) return;
    const bound = leftMiB === 0 ? [] : [`count=${count}`];
    await runProgram('dd', ['if=/dev/zero', `of=${path}.rest`, `bs=${block}`, ...bound], { timeoutMs });
  }

  async free(): Promise<void> {
    await Promise.all([filler, `${filler}.rest`].map((name) => rm(join(this.folder, name), { force: true })));
  }

  /** Every writer waits and does not end. */
  async freeze(): Promise<void> {
    await run(['fsfreeze', '--freeze', this.folder]);
  }

  /** A separate process thaws it, whatever happens to this one. Resolves once it is frozen. */
  async freezeFor(ms: number): Promise<void> {
    const script = 'fsfreeze --freeze "$0" || exit 1; echo frozen; sleep "$1"; fsfreeze --unfreeze "$0"';
    const child = spawn('sh', ['-c', script, this.folder, String(ms / 1000)], {
      detached: true,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    child.unref();
    await new Promise<void>((resolve, reject) => {
      child.stdout.once('data', () => resolve());
      child.once('error', reject);
      child.once('exit', () => reject(new Error(`${this.folder} was not frozen`)));
    });
  }

  async thaw(): Promise<void> {
    await thaw(this.folder);
  }

  get #claim(): Claim {
    return { kind: 'mounts', what: this.folder };
  }

  async #make(): Promise<void> {
    const temporary = `${this.#image}.new`;
    await rm(temporary, { force: true });
    await run(['truncate', `--size=${this.#sizeMiB}M`, temporary]);
    await run(['mkfs.ext4', '-q', '-F', '-m', '0', temporary]);
    await run(['mv', temporary, this.#image]);
  }
}

/** Includes leftovers of an earlier start: a frozen disk is thawed, or processes waiting for it would never end. */
export async function unmountAll(folder: string): Promise<void> {
  for (let tried = 0; tried < mostMounts && (await isMounted(folder)); tried += 1) {
    await thaw(folder);
    const { exitCode } = await runProgram('umount', [folder], { timeoutMs });
    // Another process may have unmounted it in the meantime.
    if (exitCode !== 0 && (await isMounted(folder))) await runProgram('umount', ['--lazy', folder], { timeoutMs });
  }
  if (await isMounted(folder)) throw new Error(`${folder} can't be unmounted`);
  await rmdir(folder).catch(() => undefined);
}

/** Does nothing if it is not frozen or not mounted. */
export async function thaw(folder: string): Promise<void> {
  if (await isMounted(folder)) await runProgram('fsfreeze', ['--unfreeze', folder]);
}

/** Mount points in these folders, the deepest first. */
export async function mountsIn(folders: readonly string[]): Promise<readonly string[]> {
  if (folders.length === 0) return [];
  const isInside = (mount: string) => folders.some((each) => mount === each || mount.startsWith(`${each}/`));
  const inside = new Set((await mountPoints()).filter(isInside));
  return [...inside].toSorted((one, other) => other.length - one.length);
}

async function isMounted(folder: string): Promise<boolean> {
  return (await mountPoints()).includes(folder);
}

/** proc(5) escapes spaces and the like as octal numbers. */
async function mountPoints(): Promise<readonly string[]> {
  const mounts = await readFile('/proc/self/mountinfo', 'utf8');
  const unescaped = (path: string) =>
    path.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
  return mounts.split('\n').map((line) => unescaped(line.split(' ')[4] ?? ''));
}
