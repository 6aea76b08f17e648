// The client's process, and its reports.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { endingWithParent } from '../../embedded/ends-with-parent.ts';
import type { ClientReport } from './client-report.ts';
import type { Pair } from './pair.ts';
import type { Acknowledgement } from './verdict.ts';

const mostFaults = 10;

export class TrialClient {
  readonly told: Acknowledgement[] = [];
  readonly faults: string[] = [];
  unknown = 0;
  staleReads = 0;
  eventGaps = 0;
  readonly #child: ChildProcess;

  constructor(ha: Pair, writers: number, engine: string) {
    const program = fileURLToPath(new URL('./client-process.ts', import.meta.url));
    this.#child = spawn(
      ...endingWithParent('ip', [
        ...['netns', 'exec', ha.network.namespace('c'), process.execPath, program, ha.settingsFile],
        ...[String(writers), engine],
      ]),
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    if (this.#child.stdout !== null)
      createInterface({ input: this.#child.stdout }).on('line', (line) => this.#note(JSON.parse(line) as ClientReport));
  }

  /** Safe to call twice. */
  async end(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'close');
    this.#child.kill('SIGTERM');
    await ended;
  }

  #note(told: ClientReport): void {
    switch (told.kind) {
      case 'acknowledged':
        this.told.push(told);
        break;
      case 'unknown':
        this.unknown += 1;
        break;
      case 'stale':
        this.staleReads += 1;
        this.#fault(`${told.host} answered a read with ${told.read}, when ${told.acknowledged} was acknowledged`);
        break;
      case 'gap':
        this.eventGaps += 1;
        this.#fault(`after the event ${told.after}, ${told.host} has ${told.found}`);
    }
  }

  #fault(text: string): void {
    if (this.faults.length < mostFaults) this.faults.push(text);
  }
}
