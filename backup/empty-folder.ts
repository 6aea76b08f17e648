// A folder that is filled under another name and gets its own name at once, when all of it is on disk.
import { lstat, mkdir, readdir, rename, rm, rmdir, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { runProgram } from '../embedded/run-program.ts';
import { fault, isMissingFile } from './faults.ts';
import { syncFolder } from './place.ts';

const syncTimeoutMs = 600_000;

/** Throws BackupFaults unless the folder is empty, or missing in a folder that exists. */
export async function requireEmpty(to: string): Promise<void> {
  const parent = await stat(dirname(to)).catch(() => undefined);
  if (parent?.isDirectory() !== true) return fault(`${dirname(to)} is no folder: create it first`);
  const found = await lstat(to).catch((error: unknown) => {
    if (isMissingFile(error)) return undefined;
    throw error;
  });
  if (found === undefined) return undefined;
  if (!found.isDirectory()) return fault(`${to} is no folder: give one that is empty or missing`);
  if ((await readdir(to)).length > 0)
    return fault(`${to} is not empty: give a folder that is empty or missing; nothing is ever overwritten`);
  if (parent.dev !== found.dev)
    return fault(`${to} is a mount point, which can't be replaced at once: give a folder in it`);
  return undefined;
}

/** `fill` makes the folder at the path that it gets. Root gives it to the owner of the empty folder or, if there is none, of its parent. */
export async function fillFolder<Result>(given: string, fill: (work: string) => Promise<Result>): Promise<Result> {
  const to = resolve(given);
  const work = join(dirname(to), `.${basename(to)}.restoring`);
  await rm(work, { recursive: true, force: true });
  try {
    const result = await fill(work);
    await giveToOwner(work, to);
    await takeName(work, to);
    return result;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function giveToOwner(work: string, to: string): Promise<void> {
  if (process.getuid?.() !== 0) return;
  const { uid, gid } = await stat(to).catch(() => stat(dirname(to)));
  await run('chown', ['--recursive', `${uid}:${gid}`, work]);
}

async function takeName(work: string, to: string): Promise<void> {
  await run('sync', ['--file-system', work]);
  await mkdir(to, { recursive: true });
  // Fails if something came into it.
  await rmdir(to);
  await rename(work, to);
  await syncFolder(dirname(to));
}

async function run(program: string, args: readonly string[]): Promise<void> {
  const { exitCode, stderr } = await runProgram(program, args, { timeoutMs: syncTimeoutMs });
  if (exitCode !== 0) throw new Error(`${program} ended with ${exitCode}: ${stderr}`);
}
