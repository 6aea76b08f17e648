// A temporary in-memory folder for one test file, and bounded waits.

import { chmod, mkdtemp, rm, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { proofs } from '../jest/proofs.ts';
import { patience } from './patience.ts';

/** Generous, for a busy machine, but shorter than a test's own limit, so that a failure names its wait. */
const waitMs = 60_000 * patience;

export interface TemporaryFolder {
  readonly path: string;
  remove(): Promise<void>;
}

const neededBytes = 4 * 1024 ** 3;

export async function temporaryFolder(): Promise<TemporaryFolder> {
  const parent = await memoryFolder(neededBytes);
  // Short, because paths of Unix sockets have at most 107 characters.
  const path = await mkdtemp(join(parent, 'tg-test-'));
  // Accessible to the user of the embedded servers.
  await chmod(path, 0o711);
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}

/**
 * Shared memory if it has enough room: containers often have 64 MB. No test cuts the power, and on a disk databases
 * would wait for it at each commit.
 */
export async function memoryFolder(neededBytes: number): Promise<string> {
  const memory = await statfs('/dev/shm').catch(() => undefined);
  return memory !== undefined && memory.bavail * memory.bsize > neededBytes ? '/dev/shm' : tmpdir();
}

/**
 * Polls until `check` returns something other than undefined or false. Throws with `what` at the deadline. It pauses
 * for twice as long as a check took, because a check that starts a program would keep a processor busy and delay the
 * awaited state.
 */
export async function waitFor<T>(
  what: string,
  check: () => Promise<T | undefined | false> | T | undefined | false,
  withinMs = waitMs,
): Promise<T> {
  const deadline = performance.now() + withinMs;
  while (performance.now() < deadline) {
    const beganMs = performance.now();
    const found = await check();
    if (found !== undefined && found !== false) {
      proofs.publish(what);
      return found;
    }
    await sleep(Math.min(Math.max(10, 2 * (performance.now() - beganMs)), 2_000));
  }
  throw new Error(`Timed out after ${withinMs} ms waiting for ${what}`);
}

/** Waits for a condition whose own text says what is missing. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  await waitFor(String(condition), condition);
}

/**
 * Checks during `forMs` that nothing happens. Throws with `what` as soon as `check` returns false. Only for a mistake
 * that no later event would reveal. `forMs` is the time in which a product with the mistake would make it.
 */
export async function stays(what: string, forMs: number, check: () => Promise<boolean> | boolean): Promise<void> {
  const endsAtMs = performance.now() + forMs;
  do {
    if (!(await check())) throw new Error(`Within ${forMs} ms it was no longer so: ${what}`);
    await sleep(10);
  } while (performance.now() < endsAtMs);
  if (!(await check())) throw new Error(`After ${forMs} ms it was no longer so: ${what}`);
  proofs.publish(what);
}

export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
