// Keeps one embedded server running: if it ends by itself, it is started again, at once the first time and then with growing
// pauses, until the owner stops it.

import { setTimeout as sleep } from 'node:timers/promises';
import type { EmbeddedServer, ServerExit } from './server-process.ts';
import type { SetupLog } from './setup-log.ts';

interface SuperviseOptions<T extends EmbeddedServer> {
  readonly log: SetupLog;
  readonly onDown?: (exit: ServerExit) => void;
  readonly onUp?: (server: T) => void;
  /** Aborting it is like `stop`, without waiting. */
  readonly signal?: AbortSignal;
  readonly firstPauseMs?: number;
  readonly longestPauseMs?: number;
  /** A server that ran for this long is restarted without a pause. */
  readonly steadyAfterMs?: number;
}

export interface Supervised<T extends EmbeddedServer> {
  /** The current server; its pid changes with every restart. */
  readonly current: T;
  readonly restarts: number;
  /** Ends supervision, then the server. */
  stop(): Promise<void>;
}

/** Starts the server and watches it. An error of the first start is thrown; later ones are logged, and the start repeated. */
export async function supervise<T extends EmbeddedServer>(
  name: string,
  start: (signal: AbortSignal) => Promise<T>,
  options: SuperviseOptions<T>,
): Promise<Supervised<T>> {
  const supervisor = new Supervisor(name, start, options);
  await supervisor.startFirst();
  return supervisor;
}

class Supervisor<T extends EmbeddedServer> implements Supervised<T> {
  readonly #name: string;
  readonly #start: (signal: AbortSignal) => Promise<T>;
  readonly #options: SuperviseOptions<T>;
  readonly #ending = new AbortController();
  #server: T | undefined;
  #watching: Promise<void> = Promise.resolve();
  #restarts = 0;

  constructor(name: string, start: (signal: AbortSignal) => Promise<T>, options: SuperviseOptions<T>) {
    this.#name = name;
    this.#start = start;
    this.#options = options;
  }

  get current(): T {
    if (this.#server === undefined) throw new Error(`${this.#name} has not been started`);
    return this.#server;
  }

  get restarts(): number {
    return this.#restarts;
  }

  async startFirst(): Promise<void> {
    this.#options.signal?.throwIfAborted();
    this.#server = await this.#start(this.#ending.signal);
    this.#options.onUp?.(this.#server);
    this.#options.signal?.addEventListener('abort', () => void this.stop(), { once: true });
    this.#watching = this.#watch();
  }

  async stop(): Promise<void> {
    this.#ending.abort();
    await this.#watching;
    await this.#server?.stop();
  }

  async #watch(): Promise<void> {
    const { log, firstPauseMs = 100, longestPauseMs = 10_000, steadyAfterMs = 30_000 } = this.#options;
    const ending = this.#ending.signal;
    const stopped = new Promise<'stopped'>((resolve) =>
      ending.addEventListener('abort', () => resolve('stopped'), { once: true }),
    );
    let pauseMs = 0;
    while (!ending.aborted) {
      const upSince = performance.now();
      const exit = await Promise.race([this.current.exited, stopped]);
      if (exit === 'stopped') return;
      log.warn(`${this.#name} ended unexpectedly (${exit.signal ?? `code ${exit.code}`}); restarting it.`);
      this.#options.onDown?.(exit);
      if (performance.now() - upSince >= steadyAfterMs) pauseMs = 0;
      while (!ending.aborted) {
        await sleep(pauseMs, undefined, { signal: ending }).catch(() => {});
        pauseMs = Math.min(longestPauseMs, Math.max(firstPauseMs, pauseMs * 2));
        if (ending.aborted) return;
        try {
          this.#server = await this.#start(ending);
          this.#restarts += 1;
          log.info(`${this.#name} runs again as process ${this.#server.pid}.`);
          this.#options.onUp?.(this.#server);
          break;
        } catch (error) {
          if (!ending.aborted) log.error(`${this.#name} could not be restarted: ${String(error)}`);
        }
      }
    }
  }
}
