// Restarts a process in a host's network whenever it ends, as an init does.
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { endingWithParent } from '../../embedded/ends-with-parent.ts';
import { killQuietly } from '../../embedded/server-process.ts';
import type { HaNetwork, PlaceName } from './network.ts';

interface SupervisorOptions {
  readonly network: HaNetwork;
  readonly host: PlaceName;
  readonly what: string;
  readonly words: readonly string[];
  /** Folder of its log. */
  readonly logs: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  readonly restartMs?: number;
}

const usualRestartMs = 200;

export class Supervisor {
  readonly host: PlaceName;
  readonly what: string;
  readonly #options: SupervisorOptions;
  #child: ChildProcess | undefined;
  #isHeld = false;

  constructor(options: SupervisorOptions) {
    this.host = options.host;
    this.what = options.what;
    this.#options = options;
    this.#start();
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** From here on it is not restarted. */
  hold(): void {
    this.#isHeld = true;
  }

  release(): void {
    this.#isHeld = false;
    if (this.#child === undefined) this.#start();
  }

  stop(): void {
    this.hold();
    if (this.#child?.pid !== undefined) killQuietly(this.#child.pid, 'SIGKILL');
  }

  /** Resolves when it has ended, for whatever reason. */
  async ended(): Promise<void> {
    const child = this.#child;
    if (child !== undefined) await new Promise((resolve) => child.once('exit', resolve));
  }

  #start(): void {
    const { network, host, what, words, logs, env = {}, cwd = logs, restartMs = usualRestartMs } = this.#options;
    const output = openSync(join(logs, `${host}-${what}.log`), 'a');
    const child = spawn(...endingWithParent('ip', ['netns', 'exec', network.namespace(host), ...words]), {
      ...{ stdio: ['ignore', output, output], detached: true, cwd, env: { ...process.env, ...env } },
    });
    closeSync(output);
    this.#child = child;
    child.once('error', () => undefined);
    child.once('exit', () => {
      this.#child = undefined;
      if (!this.#isHeld)
        setTimeout(() => {
          if (!this.#isHeld && this.#child === undefined) this.#start();
        }, restartMs);
    });
  }
}
