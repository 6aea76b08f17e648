// Runs a program of the operator after each change of this host's role. Nothing waits for it: it has a time limit, and its failure is logged.
// It runs without a shell, and one at a time. If the role changes again meanwhile, only the last role follows.

import { runProgram } from '../embedded/run-program.ts';
import type { SetupLog } from '../embedded/setup-log.ts';
import type { Announcer } from './announcer.ts';

interface RoleHookOptions {
  /** Path of the program. Its arguments are the role, `primary` or `standby`, the host and the epoch, 0 for a standby. */
  readonly program: string;
  readonly me: string;
  readonly log: SetupLog;
  readonly mostMs?: number;
}

const usualMostMs = 30_000;
const mostToldCharacters = 300;

export class RoleHook implements Announcer {
  readonly #options: RoleHookOptions;
  readonly #stop = new AbortController();
  /** Undefined until the first poll, so that the program also runs once after a start: a change may have been missed. */
  #wanted: number | undefined;
  #done: number | undefined;
  #running: Promise<void> | undefined;

  constructor(options: RoleHookOptions) {
    this.#options = options;
  }

  held(_fenceAtMs: number, epoch: number): void {
    this.#want(epoch);
  }

  lost(): void {
    this.#want(0);
  }

  /** Ends the program. */
  async close(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  #want(epoch: number): void {
    this.#wanted = epoch;
    if (epoch === this.#done || this.#stop.signal.aborted) return;
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
    });
  }

  async #run(): Promise<void> {
    const { program, me, log, mostMs: timeoutMs = usualMostMs } = this.#options;
    const { signal } = this.#stop;
    while (this.#wanted !== undefined && this.#wanted !== this.#done && !signal.aborted) {
      const epoch = this.#wanted;
      this.#done = epoch;
      const role = epoch === 0 ? 'standby' : 'primary';
      const args = [role, me, String(epoch)];
      const failure = await runProgram(program, args, { timeoutMs, signal, env: { PATH: process.env.PATH } }).then(
        ({ exitCode, stderr }) => {
          if (exitCode === 0) return undefined;
          return exitCode === null ? `it was ended after ${timeoutMs} ms` : `exit code ${exitCode}: ${stderr.trim()}`;
        },
        (error: unknown) => String(error),
      );
      if (failure !== undefined && !signal.aborted)
        log.warn(`ha: ${program} failed for the role ${role}: ${failure.slice(0, mostToldCharacters)}`);
    }
  }
}
