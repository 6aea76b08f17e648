// Samples every 10 ms which host is writable, and which has the virtual address.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { endingWithParent } from '../../embedded/ends-with-parent.ts';
import { monotonicMs } from '../../ha/agent/clock.ts';
import type { DataHost } from './network.ts';
import { dataHosts, type Pair } from './pair.ts';

const sampleMs = 10;

type Samples = Record<DataHost, (readonly [number, boolean])[]>;

/** Samples whether each host is writable, through its own socket. */
export class WritableSamples {
  readonly of: Samples = { a: [], b: [] };
  readonly #stop = new AbortController();
  readonly #done: Promise<unknown>;

  constructor(ha: Pair) {
    this.#done = Promise.all(dataHosts.map((host) => this.#sample(ha, host)));
  }

  async end(): Promise<void> {
    this.#stop.abort();
    await this.#done;
  }

  async #sample(ha: Pair, host: DataHost): Promise<void> {
    let session = ha.sql(host);
    while (!this.#stop.signal.aborted) {
      const askedMs = monotonicMs();
      const sample = await session.query<{ readOnly: number }[]>('SELECT @@GLOBAL.read_only AS readOnly', [], 500).then(
        ([row]) => [monotonicMs(), row?.readOnly === 0] as const,
        () => {
          session.forget();
          session = ha.sql(host);
          // It has not answered since then.
          return [askedMs, false] as const;
        },
      );
      this.of[host].push(sample);
      await sleep(sampleMs);
    }
    session.forget();
  }
}

/** Whether each host has the virtual address. */
export class AddressSamples {
  readonly of: Samples = { a: [], b: [] };
  readonly #children: readonly ChildProcess[];

  constructor(ha: Pair) {
    const program = fileURLToPath(new URL('./address-process.ts', import.meta.url));
    this.#children = dataHosts.map((host) => {
      const words = ['netns', 'exec', ha.network.namespace(host), process.execPath, program];
      const child = spawn(...endingWithParent('ip', words), { stdio: ['ignore', 'pipe', 'inherit'] });
      if (child.pid !== undefined) ha.network.spare(child.pid);
      createInterface({ input: child.stdout }).on('line', (line) => {
        const [atMs, has] = JSON.parse(line) as [number, boolean];
        this.of[host].push([atMs, has && !ha.network.frozen.has(host)]);
      });
      return child;
    });
  }

  async end(): Promise<void> {
    await Promise.all(
      this.#children.map(async (child) => {
        if (child.exitCode !== null || child.signalCode !== null) return;
        const ended = once(child, 'close');
        child.kill('SIGKILL');
        await ended;
      }),
    );
  }
}
