// Checks whether a Tidegate process answers at all. A paused process still accepts connections and requests, so a request to it
// would wait until its deadline. The check uses its own connection, because all connections for requests may be busy.
import { setTimeout as sleep } from 'node:timers/promises';
import { type buildConnector, Pool } from 'undici';

const everyMs = 500;
const answerMs = 1_000;

/** The process answers nothing. Whether it has taken the request is not known. */
export class SilentError extends Error {
  constructor(origin: string) {
    super(`${origin} answers nothing`);
    this.name = 'SilentError';
  }
}

export class Pulse {
  readonly #origin: string;
  readonly #pool: Pool;
  #asking: Promise<boolean> | undefined;

  constructor(origin: string, connect: buildConnector.connector) {
    this.#origin = origin;
    this.#pool = new Pool(origin, { connections: 1, connect });
  }

  /**
   * Runs `work`. Its signal is aborted with SilentError after this many polls in a row without an answer. Each poll takes at most
   * 1.5 s. Looks are counted, not timed: this process may have stood still itself.
   */
  async during<Result>(
    { misses, signal }: { readonly misses: number; readonly signal: AbortSignal },
    work: (signal: AbortSignal) => Promise<Result>,
  ): Promise<Result> {
    const over = new AbortController();
    const silent = new AbortController();
    void this.#silence(misses, over.signal).then((isSilent) => {
      if (isSilent) silent.abort(new SilentError(this.#origin));
    });
    try {
      return await work(AbortSignal.any([signal, silent.signal]));
    } finally {
      over.abort();
    }
  }

  /** Whether the process answers anything within a second. Concurrent callers share one poll. Never rejects. */
  answers(): Promise<boolean> {
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = undefined;
    });
    return this.#asking;
  }

  close(): Promise<void> {
    return this.#pool.destroy();
  }

  /** Resolves to true after this many misses, or to false when the work is over. */
  async #silence(misses: number, over: AbortSignal): Promise<boolean> {
    for (let missed = 0; missed < misses; ) {
      await sleep(everyMs, undefined, { ref: false, signal: over }).catch(() => undefined);
      if (over.aborted) return false;
      missed = (await this.answers()) ? 0 : missed + 1;
    }
    return !over.aborted;
  }

  /** Any answer counts. */
  async #ask(): Promise<boolean> {
    try {
      const signal = AbortSignal.timeout(answerMs);
      const { body } = await this.#pool.request({ path: '/health/live', method: 'GET', signal });
      await body.dump();
      return true;
    } catch {
      return false;
    }
  }
}
