// A task that runs again and again, never twice at once: the loops of workers are made of it.
import type { Logger } from '../platform/log.ts';

export interface PeriodicOptions {
  readonly name: string;
  readonly everyMs: number;
  readonly log: Logger;
  /** What it throws is logged; the loop goes on. */
  readonly task: (signal: AbortSignal) => Promise<void>;
}

export class Periodic {
  readonly #options: PeriodicOptions;
  readonly #stopping = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #again = false;

  constructor(options: PeriodicOptions) {
    this.#options = options;
  }

  /** The first run begins at once. */
  start(): void {
    this.trigger();
  }

  /** Runs now, or once more when the present run ends. */
  trigger(): void {
    if (this.#stopping.signal.aborted) return;
    if (this.#running !== undefined) {
      this.#again = true;
      return;
    }
    clearTimeout(this.#timer);
    this.#running = this.#run();
  }

  /** Waits for the present run, whose signal is aborted. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    clearTimeout(this.#timer);
    await this.#running;
  }

  async #run(): Promise<void> {
    try {
      await this.#options.task(this.#stopping.signal);
    } catch (error) {
      if (!this.#stopping.signal.aborted) {
        this.#options.log.error({ err: error, task: this.#options.name }, 'a periodic task failed; it will run again');
      }
    }
    this.#running = undefined;
    if (this.#stopping.signal.aborted) return;
    const again = this.#again;
    this.#again = false;
    this.#timer = setTimeout(() => this.trigger(), again ? 0 : this.#options.everyMs);
  }
}
