// Each data host has a small disk of its own, in memory.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { runProgram } from '../../../embedded/run-program.ts';

const sizeMiB = 700;
const fillTimeoutMs = 30_000;

export async function mountDisk(path: string): Promise<void> {
  await mkdir(path);
  const { exitCode, stderr } = await runProgram('mount', [
    ...['-t', 'tmpfs', '-o', `size=${sizeMiB}m,mode=0711`, 'tmpfs', path],
  ]);
  if (exitCode !== 0) throw new Error(`mount: ${stderr.trim()}`);
}

export async function unmountDisk(path: string): Promise<void> {
  await runProgram('umount', ['-l', path]);
}

/** Until nothing is left. */
export async function fill(path: string): Promise<void> {
  await runProgram('dd', ['if=/dev/zero', `of=${join(path, 'filled')}`, 'bs=1M'], { timeoutMs: fillTimeoutMs });
}

export async function free(path: string): Promise<void> {
  await runProgram('rm', ['-f', join(path, 'filled')]);
}
