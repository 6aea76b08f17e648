// One embedded server as a child process. It ends with this process, even if that is killed (parent-death signal); Ctrl-C on the
// terminal does not reach it (own session); a server left by an earlier owner is stopped first.

import { type ChildProcess, spawn } from 'node:child_process';
import { readFile, readlink } from 'node:fs/promises';
import { basename } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { atMost, TooLateError, within } from '../platform/work/within.ts';
import { endsWithParent } from './ends-with-parent.ts';
import { lowPortFlags, type ServiceUser } from './service-account.ts';
import { SetupError, systemErrorCode } from './setup-error.ts';
import type { SetupLog } from './setup-log.ts';

export interface ServerExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface EmbeddedServer {
  readonly pid: number;
  /** Settles when the process has ended, by itself or by `stop`. Never rejects. */
  readonly exited: Promise<ServerExit>;
  /** Ends it cleanly; kills it if it has not ended after 20 s. Safe to call twice. */
  stop(): Promise<void>;
}

interface ServerProcessOptions {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly runAs: ServiceUser | undefined;
  /** Of `runAs`: it listens at a port below 1024. A server that gives up root by itself would lose its parent-death signal. */
  readonly mayUseLowPorts?: boolean;
  /** The words before it while it still has root's privileges: they enter another network. */
  readonly wrapper?: readonly string[] | undefined;
  readonly log: SetupLog;
  /** Whether a line of its output is a warning. Default: none is. */
  readonly warns?: (line: string) => boolean;
  /** Added to a plain environment, or in place of its values. */
  readonly env?: NodeJS.ProcessEnv;
  readonly stopTimeoutMs?: number;
  /** The signal that ends it, both on `stop` and when this process dies. SIGKILL is for a process tree without data to save. */
  readonly endSignal?: 'SIGTERM' | 'SIGKILL';
}

const KEPT_LINES = 20;
const plainEnvironment = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C.UTF-8' };

export class ServerProcess implements EmbeddedServer {
  readonly name: string;
  readonly exited: Promise<ServerExit>;
  readonly #child: ChildProcess;
  readonly #stopTimeoutMs: number;
  readonly #endSignal: 'SIGTERM' | 'SIGKILL';
  readonly #lastLines: string[] = [];
  #startError: Error | undefined;

  /** Must be called on the main thread: the parent-death signal is bound to the thread that forks. */
  constructor(options: ServerProcessOptions) {
    this.name = options.name;
    this.#stopTimeoutMs = options.stopTimeoutMs ?? 20_000;
    this.#endSignal = options.endSignal ?? 'SIGTERM';
    const lowPorts = options.runAs !== undefined && options.mayUseLowPorts === true ? lowPortFlags : [];
    const [command = '', ...words] = [
      ...(options.wrapper ?? []),
      ...endsWithParent({ flags: [...credentialFlags(options.runAs), ...lowPorts], signal: this.#endSignal }),
      ...[options.command, ...options.args],
    ];
    this.#child = spawn(command, words, {
      cwd: options.cwd,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...plainEnvironment, ...options.env },
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      if (stream === null) continue;
      createInterface({ input: stream }).on('line', (line) => {
        this.#lastLines.push(line.slice(0, 500));
        if (this.#lastLines.length > KEPT_LINES) this.#lastLines.shift();
        const level = options.warns?.(line) === true ? 'warn' : 'debug';
        options.log[level](`${this.name}: ${line}`);
      });
    }
    this.exited = new Promise((resolve) => {
      this.#child.once('error', (error) => {
        this.#startError = error;
        resolve({ code: null, signal: null });
      });
      this.#child.once('exit', (code, signal) => resolve({ code, signal }));
    });
  }

  get pid(): number {
    return this.#child.pid ?? -1;
  }

  /** The end of the server's output, for the message of a failed start. */
  get lastOutput(): string {
    return this.#lastLines.join('\n');
  }

  async stop(): Promise<void> {
    this.#child.kill(this.#endSignal);
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), this.#stopTimeoutMs);
    await this.exited;
    clearTimeout(timer);
  }

  /**
   * Calls `probe` until it succeeds. A server that ends earlier, or is not ready at the deadline, is stopped and reported as
   * SERVER_START_FAILED with the end of its output.
   */
  async waitUntilReady(probe: () => Promise<void>, timeoutMs: number, signal?: AbortSignal): Promise<void> {
    let lastError: unknown = 'no answer';
    let exit: ServerExit | undefined;
    const ended = this.exited.then((how) => {
      exit = how;
    });
    const untilReady = async (stop: AbortSignal): Promise<void> => {
      while (!stop.aborted) {
        const attempt = probe().then(
          () => 'ready',
          (error: unknown) => {
            lastError = error;
          },
        );
        if ((await Promise.race([attempt, ended])) === 'ready') return;
        if (exit !== undefined) throw this.#startFailure(describeExit(exit));
        await atMost(20, ended);
      }
    };
    try {
      await within(timeoutMs, `${this.name} was not ready`, untilReady, signal);
    } catch (error) {
      await this.stop();
      if (!(error instanceof TooLateError)) throw error;
      throw this.#startFailure(`was not ready after ${timeoutMs / 1000} s (${String(lastError)})`);
    }
  }

  #startFailure(what: string): SetupError {
    if (systemErrorCode(this.#startError) === 'ENOENT') {
      return new SetupError('PROGRAM_MISSING', 'The program "setpriv" is missing. Install the package util-linux.');
    }
    const output = this.lastOutput === '' ? '' : ` Its last output:\n${this.lastOutput}`;
    return new SetupError('SERVER_START_FAILED', `${this.name} did not start: it ${what}.${output}`);
  }
}

function describeExit(exit: ServerExit): string {
  return exit.signal === null ? `ended with code ${exit.code}` : `was ended by ${exit.signal}`;
}

/** The setpriv(1) flags that give a child its numeric user; none if it runs as the user of this process. */
export function credentialFlags(user: ServiceUser | undefined): string[] {
  if (user === undefined) return [];
  return ['--reuid', String(user.uid), '--regid', String(user.gid), '--clear-groups'];
}

/**
 * Ends the server left by an earlier owner of the folder: the process of the pid file, if it really is one of these programs
 * working in that folder. The caller holds the folder's lock, so that owner has ended.
 */
export async function endLeftOver(options: {
  pidFile: string;
  workingFolder: string;
  programs: readonly string[];
  log: SetupLog;
  timeoutMs?: number;
}): Promise<void> {
  const pid = await readPid(options.pidFile);
  if (pid === undefined || !(await isServerOf(pid, options))) return;
  options.log.info(`Waiting for process ${pid} of an earlier run in ${options.workingFolder} to end.`);
  const started = performance.now();
  const timeoutMs = options.timeoutMs ?? 20_000;
  const signals: { afterMs: number; name: NodeJS.Signals }[] = [
    { afterMs: 0, name: 'SIGTERM' },
    { afterMs: timeoutMs, name: 'SIGKILL' },
  ];
  while (await isServerOf(pid, options)) {
    const waitedMs = performance.now() - started;
    if (waitedMs > timeoutMs + 5_000) {
      throw new SetupError(
        'SERVER_START_FAILED',
        `Process ${pid} of an earlier run still works in ${options.workingFolder} and can't be stopped. Stop it, then start again.`,
      );
    }
    if (signals[0] !== undefined && waitedMs >= signals[0].afterMs)
      killQuietly(pid, signals.shift()?.name ?? 'SIGTERM');
    await sleep(10);
  }
}

async function readPid(path: string): Promise<number | undefined> {
  const text = await readFile(path, 'utf8').catch(() => '');
  return /^\d+$/.test(text.trim()) ? Number(text.trim()) : undefined;
}

/** Program and working folder must match: another process that got the pid since is never touched. */
async function isServerOf(
  pid: number,
  expected: { workingFolder: string; programs: readonly string[] },
): Promise<boolean> {
  try {
    const program = basename((await readlink(`/proc/${pid}/exe`)).replace(/ \(deleted\)$/, ''));
    const folder = await readlink(`/proc/${pid}/cwd`);
    return expected.programs.includes(program) && folder === expected.workingFolder;
  } catch {
    return false;
  }
}

export function killQuietly(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended in the meantime.
  }
}
