// Starts a process in a host's network again and again, as an init would.
import { type ChildProcess, spawn } from 'node:child_process';
import { openSync } from 'node:fs';
import { join } from 'node:path';
import { killQuietly } from '../../../embedded/server-process.ts';
import type { HaNetwork, PlaceName } from './network.ts';

const restartMs = 200;

export class Keeper {
  readonly host: PlaceName;
  readonly what: string;
  readonly #start: () => ChildProcess;
  #child: ChildProcess;
  #isStopping = false;

  constructor(network: HaNetwork, host: PlaceName, what: string, words: readonly string[], logs: string) {
    this.host = host;
    this.what = what;
    const output = openSync(join(logs, `${host}-${what}.log`), 'a');
    this.#start = () => {
      const child = spawn('ip', ['netns', 'exec', network.namespace(host), ...words], {
        stdio: ['ignore', output, output],
        detached: true,
      });
      child.once('error', () => undefined);
      child.once('exit', () => {
        setTimeout(() => {
          if (!this.#isStopping) this.#child = this.#start();
        }, restartMs);
      });
      return child;
    };
    this.#child = this.#start();
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  stop(): void {
    this.#isStopping = true;
    if (this.#child.pid !== undefined) killQuietly(this.#child.pid, 'SIGKILL');
  }
}
