// Carries owed work: due rows go from the database into Redis every few seconds, when work is owed, when the next is due, and at once
// when Redis has lost everything (its marker is missing).
import type { Redis } from 'ioredis';
import type { Logger } from '../../platform/log.ts';
import { Loop } from '../../platform/loop.ts';
import type { OwedWork } from '../../platform/owed-work.ts';
import type { Wake } from '../../platform/wake.ts';
import type { QueueMetrics } from './queue-metrics.ts';
import type { QueueWorker } from './queue-worker.ts';

export interface OwedCarrierOptions {
  readonly workers: readonly QueueWorker[];
  readonly owedWork: Pick<OwedWork, 'nextDueInMs' | 'dueKinds'>;
  readonly redis: Redis;
  readonly prefix: string;
  readonly wake: Wake;
  readonly log: Logger;
  readonly metrics: QueueMetrics;
  /** Default 5000. */
  readonly dispatchMs?: number;
  /** How often the marker is checked; default 1000. */
  readonly markerMs?: number;
}

/** While a row is due, it is looked again so soon: who has claimed it, or taken its job from Redis, may have died. */
const lookAgainMs = 250;

export class OwedCarrier {
  readonly #options: OwedCarrierOptions;
  readonly #dispatch: Loop;
  readonly #marker: Loop;
  readonly #onReady = () => this.#marker.trigger();
  readonly #dispatchMs: number;
  #pauseMs: number;
  #unlisten: (() => void) | undefined;

  constructor(options: OwedCarrierOptions) {
    this.#options = options;
    const { log } = options;
    this.#dispatchMs = options.dispatchMs ?? 5_000;
    this.#pauseMs = this.#dispatchMs;
    this.#dispatch = new Loop({
      name: 'owed work: dispatch',
      log,
      pauseMs: () => this.#pauseMs,
      run: (signal) => this.#dispatchAll(signal),
    });
    this.#marker = new Loop({
      name: 'owed work: marker',
      log,
      pauseMs: () => options.markerMs ?? 1_000,
      run: () => this.#lookForMarker(),
    });
  }

  start(): void {
    this.#unlisten ??= this.#options.wake.on('owed', () => this.#dispatch.trigger());
    this.#options.redis.on('ready', this.#onReady);
    this.#dispatch.start();
    this.#marker.start();
    for (const worker of this.#options.workers)
      worker.start((dueInMs) => {
        if (dueInMs < this.#dispatchMs) this.#dispatch.trigger();
      });
  }

  /** Dispatches nothing more and waits for running jobs. */
  async drain(): Promise<void> {
    await this.#endLoops();
    await Promise.all(this.#options.workers.map((worker) => worker.drain()));
  }

  async stop(): Promise<void> {
    await this.#endLoops();
    await Promise.all(this.#options.workers.map((worker) => worker.stop()));
  }

  async #endLoops(): Promise<void> {
    this.#unlisten?.();
    this.#options.redis.off('ready', this.#onReady);
    this.#unlisten = undefined;
    await Promise.all([this.#dispatch.stop(), this.#marker.stop()]);
  }

  async #dispatchAll(signal: AbortSignal): Promise<boolean> {
    const { workers, owedWork, metrics } = this.#options;
    const kinds = workers.map(({ kind }) => kind);
    // Asked first: what becomes due from now on is either dispatched below, or by the next turn.
    const nextMs = await owedWork.nextDueInMs(kinds, this.#dispatchMs);
    const due = await owedWork.dueKinds(kinds);
    for (const worker of workers) {
      if (signal.aborted) return false;
      if (due.has(worker.kind)) metrics.dispatched(await worker.dispatch());
      else worker.forget();
    }
    this.#pauseMs = Math.max(1, Math.min(nextMs ?? this.#dispatchMs, due.size > 0 ? lookAgainMs : this.#dispatchMs));
    return false;
  }

  /** The process that sets the marker found it missing. */
  async #lookForMarker(): Promise<boolean> {
    const { redis, prefix, log, workers } = this.#options;
    // The connection logs its own loss, and wakes this loop when it is back.
    if (redis.status !== 'ready') return false;
    const wasMissing = (await redis.set(`${prefix}:owed-work`, '1', 'NX')) === 'OK';
    if (wasMissing) {
      log.info('Redis holds no owed work: handing over all that is due');
      for (const worker of workers) worker.forget();
      this.#dispatch.trigger();
    }
    return false;
  }
}
