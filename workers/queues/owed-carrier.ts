// Carries owed work: due rows go from the database into Redis every few seconds, when work is owed, when the next is due, and at once
// when Redis has lost everything (its marker is missing).
import type { Redis } from 'ioredis';
import type { Logger } from '../../platform/log/log.ts';
import type { OwedWork } from '../../platform/owed/owed-work.ts';
import { Loop } from '../../platform/work/loop.ts';
import { pauseOf, type Wake } from '../../platform/work/wake.ts';
import type { QueueMetrics } from './queue-metrics.ts';
import type { Dispatched, QueueWorker } from './queue-worker.ts';

interface OwedCarrierOptions {
  readonly workers: readonly QueueWorker[];
  readonly owedWork: Pick<OwedWork, 'nextDueInMs' | 'dueKinds' | 'takeUpAfterStepBack'>;
  readonly redis: Redis;
  readonly prefix: string;
  readonly wake: Wake;
  readonly log: Logger;
  readonly metrics: QueueMetrics;
  /** Default 5000. */
  readonly dispatchMs?: number;
  /** How often the marker is checked while wake-ups may be missed; default 1000. */
  readonly markerMs?: number;
  /** How often work is looked for that was owed before the database's clock was set back; default 30,000. */
  readonly stepBackMs?: number;
}

/** How often the marker is checked while wake-ups arrive: a Redis that starts again closes their connections. */
const wokenMarkerMs = 5_000;
/** Interval for polling a row that is due: the process that claimed it, or took its job from Redis, may have crashed. */
const lookAgainMs = 250;

export class OwedCarrier {
  readonly #options: OwedCarrierOptions;
  readonly #dispatch: Loop;
  readonly #marker: Loop;
  readonly #onReady = () => this.#marker.trigger();
  readonly #dispatchMs: number;
  #pauseMs: number;
  #lookedForStepAtMs = Number.NEGATIVE_INFINITY;
  #isRefused = false;
  #unlisten: (() => void) | undefined;

  constructor(options: OwedCarrierOptions) {
    this.#options = options;
    const { wake, log, markerMs = 1_000 } = options;
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
      pauseMs: () => pauseOf(wake, { alone: markerMs, woken: Math.max(markerMs, wokenMarkerMs) }),
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
    await this.#lookForStepBack();
    // Queried first: work that becomes due from now on is dispatched below or in the next turn.
    const nextMs = await owedWork.nextDueInMs(kinds, this.#dispatchMs);
    const due = await owedWork.dueKinds(kinds);
    if (signal.aborted) return false;
    for (const worker of workers) if (!due.has(worker.kind)) worker.forget();
    // All at once: a Redis that does not answer delays each by seconds.
    const dispatched = await Promise.all(
      workers.filter(({ kind }) => due.has(kind)).map((worker) => worker.dispatch()),
    );
    for (const { jobs } of dispatched) metrics.dispatched(jobs);
    this.#tell(dispatched);
    this.#pauseMs = Math.max(1, Math.min(nextMs ?? this.#dispatchMs, due.size > 0 ? lookAgainMs : this.#dispatchMs));
    return false;
  }

  async #lookForStepBack(): Promise<void> {
    const { owedWork, log, stepBackMs = 30_000 } = this.#options;
    if (performance.now() - this.#lookedForStepAtMs < stepBackMs) return;
    const jobs = await owedWork.takeUpAfterStepBack();
    if (jobs > 0) log.warn({ jobs }, "the database's clock was set back: work that waited for a later time is due");
    this.#lookedForStepAtMs = performance.now();
  }

  #tell(dispatched: readonly Dispatched[]): void {
    const refused = dispatched.find((each) => each.refused !== undefined)?.refused;
    if ((refused !== undefined) === this.#isRefused || dispatched.length === 0) return;
    this.#isRefused = refused !== undefined;
    const { log } = this.#options;
    if (refused !== undefined)
      log.warn({ err: refused }, 'Redis takes no jobs: owed work is claimed from the database');
    else log.info('Redis takes jobs again');
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
