// The disks of the high availability trial, after a trial dies or fails to start.
// needs: iproute2, root
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, statfs, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { runProgram } from '../../embedded/run-program.ts';
import { unmountAll } from '../../lab/loop-disk.ts';
import { mountDisk } from '../../trials/ha/disk.ts';
import { HaNetwork } from '../../trials/ha/network.ts';
import { HaSystem } from '../../trials/ha/system.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tidegate-ha-disk-'));
});

afterEach(async () => {
  await unmountAll(join(folder, 'a'));
  await rm(folder, { recursive: true, force: true });
});

async function mounts(): Promise<readonly string[]> {
  const text = await readFile('/proc/mounts', 'utf8');
  return text.split('\n').filter((line) => line.includes(folder));
}

test('a frozen disk thaws although the trial that froze it was killed', async () => {
  const path = join(folder, 'a');
  const program = fileURLToPath(new URL('./support/freeze-process.ts', import.meta.url));
  const child = spawn(process.execPath, [program, folder, '3000'], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
  // A second freeze of a frozen disk is refused, which shows that it is frozen.
  const again = await runProgram('fsfreeze', ['--freeze', path]);
  expect(again.exitCode).not.toBe(0);
  // It waits for the thaw.
  await writeFile(join(path, 'written'), 'after the thaw');
  expect((await runProgram('fsfreeze', ['--unfreeze', path])).exitCode).not.toBe(0);
}, 60_000);

test('a full disk accepts nothing more until space is freed', async () => {
  const disk = await mountDisk(folder, 'a');
  const path = disk.folder;
  await disk.fill();
  await expect(writeFile(join(path, 'more'), 'x'.repeat(1_000_000))).rejects.toThrow('ENOSPC');
  await disk.free();
  await writeFile(join(path, 'more'), 'x'.repeat(1_000_000));
  await disk.free();
  // If less space is free than should remain, nothing is filled. Otherwise the requested amount remains.
  for (const leftMiB of [100, 7, 9_999]) {
    const { bavail: before } = await statfs(path);
    await disk.fill(leftMiB);
    const { bavail, bsize } = await statfs(path);
    const left = Math.round((bavail * bsize) / 1024 / 1024);
    expect(left).toBe(leftMiB === 9_999 ? Math.round((before * bsize) / 1024 / 1024) : leftMiB);
    await disk.free();
  }
}, 60_000);

test('a trial that does not start leaves no mount and no process', async () => {
  const network = await HaNetwork.layOut(`${process.pid}d`);
  const options = { folder, leaseMs: 3_000, skewed: false, signal: AbortSignal.abort() };
  await expect(HaSystem.start(network, options)).rejects.toThrow('aborted');
  expect(await mounts()).toEqual([]);
  const { stdout } = await runProgram('ip', ['netns', 'list']);
  expect(stdout).not.toContain(network.namespace('a'));
}, 60_000);
