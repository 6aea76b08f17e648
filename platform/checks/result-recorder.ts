// Gathers what was seen and records it in batches, each under the lease of its shard. What can't be recorded now is kept:
// at most one observation for each target, the newest.

import type { HeldLease } from '../leases.ts';
import type { Logger } from '../log.ts';
import { Loop } from '../loop.ts';
import type { CheckObservation, CheckTarget, CheckTenant } from './check-tenant.ts';

export interface ResultRecorderOptions<Target extends CheckTarget, Detail> {
  readonly tenant: Pick<CheckTenant<Target, Detail>, 'name' | 'record'>;
  readonly shardOf: (targetId: string) => number;
  /** Undefined: the shard is not held any more, and what was seen of it is dropped. */
  readonly leaseOf: (shard: number) => HeldLease | undefined;
  readonly log: Logger;
  readonly everyMs: number;
  /** Most observations in one transaction. */
  readonly batchSize?: number;
}

export class ResultRecorder<Target extends CheckTarget, Detail> {
  readonly #options: ResultRecorderOptions<Target, Detail>;
  readonly #waiting = new Map<string, CheckObservation<Target, Detail>>();
  readonly #loop: Loop;

  constructor(options: ResultRecorderOptions<Target, Detail>) {
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

  add(observation: CheckObservation<Target, Detail>): void {
    const earlier = this.#waiting.get(observation.target.id);
    // The status before is the one that is recorded, not the one of an observation that never was.
    const statusBefore = earlier?.statusBefore ?? observation.statusBefore;
    this.#waiting.set(observation.target.id, { ...observation, statusBefore });
    if (observation.status !== statusBefore) this.#loop.trigger();
  }

  /** Records all that waits; throws when the database is away, and keeps what was not recorded. */
  async flush(): Promise<false> {
    for (const [shard, all] of this.#byShard()) {
      const size = this.#options.batchSize ?? 500;
      for (let from = 0; from < all.length; from += size) {
        const batch = all.slice(from, from + size);
        const lease = this.#options.leaseOf(shard);
        if (lease !== undefined) await this.#options.tenant.record(batch, lease);
        for (const observation of batch) {
          // A newer one may have come meanwhile.
          if (this.#waiting.get(observation.target.id) === observation) this.#waiting.delete(observation.target.id);
        }
      }
    }
    return false;
  }

  /** Records what waits, if it can be. */
  async stop(): Promise<void> {
    await this.#loop.stop();
    await this.flush().catch((error: unknown) => {
      this.#options.log.warn(
        { err: error, unrecorded: this.#waiting.size },
        'the last check results were not recorded',
      );
    });
  }

  #byShard(): Map<number, CheckObservation<Target, Detail>[]> {
    const shards = new Map<number, CheckObservation<Target, Detail>[]>();
    for (const observation of this.#waiting.values()) {
      const shard = this.#options.shardOf(observation.target.id);
      const batch = shards.get(shard);
      if (batch === undefined) shards.set(shard, [observation]);
      else batch.push(observation);
    }
    return shards;
  }
}
