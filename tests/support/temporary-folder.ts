// A temporary in-memory folder for one test file, and bounded waits.

import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { patience } from './patience.ts';

/** Generous, for a busy machine, but shorter than a test's own limit, so that a failure names its wait. */
const waitMs = 60_000 * patience;

export interface TemporaryFolder {
  readonly path: string;
  remove(): Promise<void>;
}

export async function temporaryFolder(): Promise<TemporaryFolder> {
  const path = await mkdtemp(join(tmpdir(), 'tidegate-test-'));
  // Accessible to the user of the embedded servers.
  await chmod(path, 0o711);
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}

/** Polls until `check` returns something other than undefined or false; throws with `what` at the deadline. */
export async function waitFor<T>(
  what: string,
  check: () => Promise<T | undefined | false> | T | undefined | false,
): Promise<T> {
  const deadline = performance.now() + waitMs;
  while (performance.now() < deadline) {
    const found = await check();
    if (found !== undefined && found !== false) return found;
    await sleep(10);
  }
  throw new Error(`Timed out after ${waitMs} ms waiting for ${what}`);
}

export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
