// One failure after another, at random, in parallel to the writers.
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import type { Random } from '../random.ts';

export type Failure = () => Promise<unknown>;

export interface FailureTurnsOptions {
  readonly random: Random;
  /** Before each failure. */
  readonly longestPauseMs: number;
}

const shortestPauseMs = 20;

export class FailureTurns {
  readonly #failures: readonly Failure[];
  readonly #options: FailureTurnsOptions;
  readonly #stopping = new AbortController();
  #finishing = false;
  #done: Promise<void> = Promise.resolve();

  constructor(failures: readonly Failure[], options: FailureTurnsOptions) {
    this.#failures = failures;
    this.#options = options;
  }

  start(): void {
    this.#done = this.#run();
    // Its caller gets the error when ending it.
    this.#done.catch(() => undefined);
  }

  /** Ends it after the current failure, but not before each kind has occurred once. Throws the error of a failure. */
  async finish(): Promise<void> {
    this.#finishing = true;
    await this.#done;
  }

  /** Ends it after the current failure. Throws the error of a failure. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#done;
  }

  async #run(): Promise<void> {
    const { random, longestPauseMs } = this.#options;
    const stopping = this.#stopping.signal;
    // Each kind once per turn, so that a short trial includes all of them.
    for (let turn = 1; ; turn += 1)
      for (const fail of random.shuffle(this.#failures)) {
        if (this.#finishing && turn > 1) return;
        await sleep(random.integer(shortestPauseMs, longestPauseMs), undefined, { signal: stopping }).catch(() => {});
        if (stopping.aborted) return;
        await fail();
      }
  }
}

/** Throws when Redis is not available. */
export async function flushRedis(path: string): Promise<void> {
  const redis = new Redis({ path, retryStrategy: null });
  redis.on('error', () => undefined);
  await redis.flushall().finally(() => redis.disconnect());
}
