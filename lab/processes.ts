// Processes of a device of the lab, identified by their network namespace, or by a folder in their arguments.
import { readdir, readFile, readlink, stat } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { runProgram } from '../embedded/run-program.ts';
import { killQuietly } from '../embedded/server-process.ts';

const tries = 250;
const pauseMs = 20;

/** Like a power failure: resolves when no process is left in one of the namespaces. */
export async function endProcessesIn(namespaces: readonly string[]): Promise<void> {
  if (namespaces.length > 0) await endAll(await isIn(namespaces));
}

/** Whether a process is in one of the namespaces that exist now. */
export async function isIn(namespaces: readonly string[]): Promise<(pid: number) => Promise<boolean>> {
  const found = await Promise.all(namespaces.map((name) => stat(`/run/netns/${name}`).catch(() => undefined)));
  const inodes = new Set(found.flatMap((each) => (each === undefined ? [] : `net:[${each.ino}]`)));
  return async (pid) => inodes.has(await readlink(`/proc/${pid}/ns/net`).catch(() => ''));
}

/** Pids of the processes in a namespace. */
export async function processesIn(namespace: string): Promise<readonly number[]> {
  const { stdout } = await runProgram('ip', ['netns', 'pids', namespace]);
  return stdout.split('\n').flatMap((line) => (line === '' ? [] : Number(line)));
}

/** The same for processes that were started with a path in that folder. */
export async function endProcessesOf(folder: string): Promise<void> {
  await endAll((pid) => isOf(pid, [folder]));
}

/** Whether it was started with a path in one of the folders. */
export async function isOf(pid: number, folders: readonly string[]): Promise<boolean> {
  if (folders.length === 0) return false;
  const words = (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).split('\0');
  return words.some((word) => folders.some((folder) => word.includes(`${folder}/`)));
}

async function endAll(isOne: (pid: number) => Promise<boolean>): Promise<void> {
  for (let tried = 0; tried < tries; tried += 1) {
    const pids = (await readdir('/proc')).map(Number).filter((pid) => pid > 1 && pid !== process.pid);
    const ours: number[] = [];
    for (const pid of pids) if (await isOne(pid)) ours.push(pid);
    if (ours.length === 0) return;
    for (const pid of ours) killQuietly(pid, 'SIGKILL');
    await sleep(pauseMs);
  }
  throw new Error('processes of the lab do not end');
}
