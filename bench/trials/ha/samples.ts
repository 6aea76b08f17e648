// Who is writable, each 10 ms.
import { setTimeout as sleep } from 'node:timers/promises';
import { monotonicMs } from '../../../ha/agent/clock.ts';
import type { DataHost } from './network.ts';
import { dataHosts, type Pair } from './pair.ts';

const sampleMs = 10;

/** Whether each host is writable, again and again, as its own socket says. */
export class WritableSamples {
  readonly of: Record<DataHost, (readonly [number, boolean])[]> = { a: [], b: [] };
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
      const writable = await session
        .query<{ readOnly: number }[]>('SELECT @@GLOBAL.read_only AS readOnly', [], 500)
        .then(
          ([row]) => row?.readOnly === 0,
          () => {
            session.forget();
            session = ha.sql(host);
            return false;
          },
        );
      this.of[host].push([monotonicMs(), writable]);
      await sleep(sampleMs);
    }
    session.forget();
  }
}
