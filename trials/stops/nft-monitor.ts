// The actions of the device's kernel, from its own `nft monitor`: each applied call, by its mark.
// needs: iproute2, nftables, root
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { endingWithParent } from '../../embedded/ends-with-parent.ts';

export interface Applied {
  times: number;
  /** By this machine's clock. */
  readonly firstAtMs: number;
}

const markPattern = /"comment": "tg:([0-9a-f]{8}-[0-9a-f-]{27})/g;
/** A line arrives within milliseconds. */
const settleMs = 300;

export class NftMonitor {
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;
  /** By operation id. */
  readonly applied = new Map<string, Applied>();

  constructor(namespace: string) {
    this.#child = spawn(...endingWithParent('ip', ['netns', 'exec', namespace, 'nft', '--json', 'monitor', 'new']), {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    this.#ended = new Promise((resolve) => {
      this.#child.once('exit', resolve).once('error', resolve);
    });
    if (this.#child.stdout !== null)
      createInterface({ input: this.#child.stdout }).on('line', (line) => this.take(line));
  }

  /** Throws if it has ended, and so missed something. */
  async settle(): Promise<void> {
    await sleep(settleMs);
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) throw new Error('nft monitor has ended');
  }

  async stop(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#ended;
  }

  /** One line of its output. */
  take(line: string): void {
    for (const [, operationId = ''] of line.matchAll(markPattern)) {
      const known = this.applied.get(operationId);
      if (known === undefined) this.applied.set(operationId, { times: 1, firstAtMs: Date.now() });
      else known.times += 1;
    }
  }
}
