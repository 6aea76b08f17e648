// Random failures, one after another, in parallel with the writers.
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import type { Random } from '../random.ts';

export type Failure = () => Promise<unknown>;

interface FailureTurnsOptions {
  readonly random: Random;
  /** Longest pause before each failure. */
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
    // The error is reported when the caller ends the failures.
    this.#done.catch(() => undefined);
  }

  /** Ends after the current failure, but not before each kind has occurred. Throws the error of a failure. */
  async finish(): Promise<void> {
    this.#finishing = true;
    await this.#done;
  }

  /** Ends after the current failure. Throws the error of a failure. */
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

/** Throws if Redis is not available. */
export async function flushRedis(path: string): Promise<void> {
  const redis = new Redis({ path, retryStrategy: null });
  redis.on('error', () => undefined);
  await redis.flushall().finally(() => redis.disconnect());
}
