// Each data host has a small disk of its own: a file system that can be filled and frozen, in memory.
import { spawn } from 'node:child_process';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { runProgram } from '../../../embedded/run-program.ts';

const sizeMiB = 2_048;
const imageFolder = '/dev/shm';

export async function mountDisk(path: string): Promise<void> {
  await mkdir(path);
  const image = join(imageFolder, `tidegate-ha-${process.pid}-${path.split('/').at(-1)}.img`);
  try {
    await run('truncate', ['--size', `${sizeMiB}M`, image]);
    await run('mkfs.ext4', ['-q', '-F', '-m', '0', image]);
    await run('mount', ['-o', 'loop', image, path]);
    await run('chmod', ['0711', path]);
  } finally {
    // The mount keeps it, and its end frees it: a trial that is killed leaves a mount, but no image of its own beside it.
    await rm(image, { force: true });
  }
}

/** Nothing, if there is none. */
export async function unmountDisk(path: string): Promise<void> {
  await runProgram('fsfreeze', ['--unfreeze', path]);
  await runProgram('umount', ['-l', path]);
}

/** Until nothing is left. */
export async function fill(path: string): Promise<void> {
  // In smaller and smaller pieces: a piece that does not fit is not made at all.
  for (const [at, size] of ['256M', '64M', '16M', '4M', '1M', '64K', '4K'].entries())
    for (let count = 0; count < 64; count += 1) {
      const piece = join(path, `filled-${at}-${count}`);
      if ((await runProgram('fallocate', ['--length', size, piece])).exitCode !== 0) break;
    }
}

export async function free(path: string): Promise<void> {
  await runProgram('sh', ['-c', 'rm -f "$0"/filled-*', path]);
}

/** The thaw comes by a process of its own, whatever happens to this one. Resolves once it is frozen. */
export async function freeze(path: string, forMs: number): Promise<void> {
  const script = 'fsfreeze --freeze "$0" || exit 1; echo frozen; sleep "$1"; fsfreeze --unfreeze "$0"';
  const child = spawn('sh', ['-c', script, path, String(forMs / 1000)], {
    detached: true,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  child.unref();
  await new Promise<void>((resolve, reject) => {
    child.stdout.once('data', () => resolve());
    child.once('error', reject);
    child.once('exit', () => reject(new Error(`${path} was not frozen`)));
  });
}

async function run(program: string, words: readonly string[]): Promise<void> {
  const { exitCode, stderr } = await runProgram(program, [...words], { timeoutMs: 60_000 });
  if (exitCode !== 0) throw new Error(`${program}: ${stderr.trim()}`);
}
