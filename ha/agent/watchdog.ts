// Starts a server under its own watchdog, which outlives this process.

import { spawn } from 'node:child_process';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type ProcessMark, processMark } from '../../embedded/process-mark.ts';
import type { ServiceUser } from '../../embedded/service-account.ts';
import { SetupError } from '../../embedded/setup-error.ts';

export interface WatchdogOrder {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  readonly runAs: ServiceUser | undefined;
  readonly logFile: string;
  /** File in which the watchdog writes the server's process id. */
  readonly pidFile: string;
  readonly fenceFile: string;
  /** What the agent writes for a watchdog that outlives it (`RenewingAgent`). Default: nobody renews for an agent that was killed. */
  readonly agentFile?: string;
  /** A watchdog of the machine (Linux, Documentation/watchdog/watchdog-api.rst), which resets the machine if this order's process is gone. */
  readonly device?: string | undefined;
}

const program = fileURLToPath(new URL('./watchdog-process.ts', import.meta.url));
const spawnTimeoutMs = 10_000;

/** Resolves with the server's process once it runs. The server may not be ready yet. */
export async function startUnderWatchdog(orderFile: string, order: WatchdogOrder): Promise<ProcessMark> {
  await rm(order.pidFile, { force: true });
  await writeFile(orderFile, JSON.stringify(order), { mode: 0o600 });
  const child = spawn(process.execPath, [program, orderFile], { detached: true, stdio: 'ignore' });
  child.on('error', () => undefined);
  child.unref();
  const endsAtMs = performance.now() + spawnTimeoutMs;
  while (performance.now() < endsAtMs && child.exitCode === null) {
    const pid = Number((await readFile(order.pidFile, 'utf8').catch(() => '')).trim());
    const mark = pid > 0 ? processMark(pid) : undefined;
    if (mark !== undefined) return mark;
    await sleep(5);
  }
  child.kill('SIGKILL');
  throw new SetupError('SERVER_START_FAILED', `${order.command} did not start: read ${order.logFile}`);
}

/** `undefined`: the server is not killed at the end of a lease. Allows one call at a time. */
export async function writeFence(file: string, fenceAtMs: number | undefined): Promise<void> {
  await writeFile(`${file}.new`, fenceAtMs === undefined ? '' : String(fenceAtMs));
  await rename(`${file}.new`, file);
}
