// Collects observations and records them in batches, each under the lease of its shard. While recording fails, the newest
// observation of each target is kept.

import type { HeldLease } from '../leases/leases.ts';
import type { Logger } from '../log/log.ts';
import { Loop } from '../work/loop.ts';
import type { CheckObservation, CheckResults } from './check-tenant.ts';

interface ResultRecorderOptions<Detail> {
  readonly tenant: CheckResults<Detail> & { readonly name: string };
  /** Undefined if the shard is no longer held. Its observations are then dropped. */
  readonly leaseOf: (shard: number) => HeldLease | undefined;
  readonly log: Logger;
  readonly everyMs: number;
  /** Most observations in one transaction. */
  readonly batchSize?: number;
}

export class ResultRecorder<Detail> {
  readonly #options: ResultRecorderOptions<Detail>;
  readonly #waiting = new Map<number, Map<string, CheckObservation<Detail>>>();
  readonly #loop: Loop;

  constructor(options: ResultRecorderOptions<Detail>) {
    this.#options = options;
    this.#loop = new Loop({
      name: `checks/${options.tenant.name}/record`,
      pauseMs: () => options.everyMs,
      log: options.log,
      run: () => this.flush(),
    });
  }

  start(): void {
    this.#loop.start();
  }

  /** A change of status is recorded at once, and so is an observation that is added with `soon`. */
  add(observation: CheckObservation<Detail>, shard: number, { soon = false } = {}): void {
    let waiting = this.#waiting.get(shard);
    if (waiting === undefined) {
      waiting = new Map();
      this.#waiting.set(shard, waiting);
    }
    const earlier = waiting.get(observation.targetId);
    // The previous status is the recorded one, not the status in an observation that was dropped.
    const statusBefore = earlier?.statusBefore ?? observation.statusBefore;
    waiting.set(observation.targetId, { ...observation, statusBefore });
    if (soon || observation.status !== statusBefore) this.#loop.trigger();
  }

  /**
   * Records everything that is pending. Throws when the database is not available, and keeps the observations that it could not
   * record. Doubts go first: the judge of a down target must know which other targets may be down as well.
   */
  async flush(): Promise<false> {
    const pending = [...this.#waiting].map(([shard, waiting]) => ({ shard, waiting, all: [...waiting.values()] }));
    const inOrder = [true, false].flatMap((doubts) =>
      pending.map((each) => ({ ...each, all: each.all.filter((seen) => isDoubt(seen) === doubts) })),
    );
    for (const { shard, waiting, all } of inOrder) if (all.length > 0) await this.#record(shard, waiting, all);
    return false;
  }

  async #record(
    shard: number,
    waiting: Map<string, CheckObservation<Detail>>,
    all: readonly CheckObservation<Detail>[],
  ): Promise<void> {
    const size = this.#options.batchSize ?? 500;
    for (let from = 0; from < all.length; from += size) {
      const batch = all.slice(from, from + size);
      const lease = this.#options.leaseOf(shard);
      if (lease !== undefined) await this.#options.tenant.record(batch, lease);
      for (const observation of batch) {
        const { targetId, status } = observation;
        const newest = waiting.get(targetId);
        // A newer one may have arrived in the meantime.
        if (newest === observation) waiting.delete(targetId);
        else if (newest !== undefined) waiting.set(targetId, { ...newest, statusBefore: status });
      }
    }
  }

  /** Records what is pending, if possible. */
  async stop(): Promise<void> {
    await this.#loop.stop();
    await this.flush().catch((error: unknown) => {
      const unrecorded = [...this.#waiting.values()].reduce((sum, { size }) => sum + size, 0);
      this.#options.log.warn({ err: error, unrecorded }, 'the last check results were not recorded');
    });
  }
}

function isDoubt({ outcome, status, statusBefore }: CheckObservation): boolean {
  return outcome === 'DOWN' && status === statusBefore && status !== 'DOWN';
}
