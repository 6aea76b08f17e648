// A background loop that runs when it is woken, and otherwise periodically: used by everything here that polls. A loop that found
// nothing to look after rests until something happens.
import { isDiskFull } from '../errors/database-errors.ts';
import type { Logger } from '../log/log.ts';
import type { Wake } from './wake.ts';

interface LoopOptions {
  readonly name: string;
  readonly log: Logger;
  /** The longest pause between two runs; read before each pause. */
  readonly pauseMs: () => number;
  /**
   * Does one run. Returns true if there is more to do, so that the next run follows at once, and `rest` if there is nothing to look
   * after.
   */
  readonly run: (signal: AbortSignal) => Promise<boolean | 'rest'>;
  /** Needed by a loop that rests: what wakes it. Default topic: `status`, which follows each change that writes an event. */
  readonly rest?: {
    readonly wake: Pick<Wake, 'on' | 'isLive'>;
    readonly topic?: string;
    /** The pause while it rests. Default 5000. */
    readonly ms?: number;
  };
}

const failurePauseMs = 500;
/** While wake-ups arrive. */
const restMs = 5_000;

/** Runs until stopped; an error is logged (once until a run succeeds) and the run repeated. */
export class Loop {
  readonly #options: LoopOptions;
  readonly #controller = new AbortController();
  #woken = false;
  #endPause: (() => void) | undefined;
  #done: Promise<void> | undefined;
  #failing = false;
  #logged = false;
  /** Something has happened since the last run began. */
  #heard = false;
  #isResting = false;
  #unlisten: (() => void) | undefined;

  constructor(options: LoopOptions) {
    this.#options = options;
  }

  start(): void {
    const { rest } = this.#options;
    this.#unlisten ??= rest?.wake.on(rest.topic ?? 'status', () => this.#hear());
    this.#done ??= this.#loop();
  }

  /** Runs soon: now when paused, else once more after the run under way. */
  trigger(): void {
    this.#woken = true;
    this.#endPause?.();
  }

  /** Waits for the run under way. */
  async stop(): Promise<void> {
    this.#unlisten?.();
    this.#controller.abort();
    this.#endPause?.();
    await this.#done;
  }

  /** Only a rest ends: a usual pause is short. */
  #hear(): void {
    this.#heard = true;
    if (this.#isResting) this.trigger();
  }

  #pauseAfter(result: boolean | 'rest'): number {
    if (result === true) return 0;
    const { rest } = this.#options;
    this.#isResting = result === 'rest' && rest?.wake.isLive === true && !this.#heard;
    const pauseMs = this.#options.pauseMs();
    return this.#isResting ? Math.max(pauseMs, rest?.ms ?? restMs) : pauseMs;
  }

  async #loop(): Promise<void> {
    const { signal } = this.#controller;
    while (!signal.aborted) {
      let pauseMs = 0;
      this.#woken = false;
      this.#heard = false;
      this.#isResting = false;
      try {
        pauseMs = this.#pauseAfter(await this.#options.run(signal));
        if (this.#logged) this.#options.log.info({ loop: this.#options.name }, 'works again');
        this.#failing = false;
        this.#logged = false;
      } catch (error) {
        // A full disk is logged once, by the guard of the database.
        if (!this.#logged && !isDiskFull(error)) {
          this.#options.log.warn({ err: error, loop: this.#options.name }, 'failed: trying again');
          this.#logged = true;
        }
        this.#failing = true;
        // A wake-up does not shorten this pause: an unavailable database is not flooded.
        this.#woken = false;
        pauseMs = failurePauseMs;
      }
      if (pauseMs > 0 && !this.#woken && !signal.aborted) await this.#pause(pauseMs);
    }
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer);
        this.#endPause = undefined;
        resolve();
      };
      const timer = setTimeout(end, ms);
      this.#endPause = () => {
        if (!this.#failing || this.#controller.signal.aborted) end();
      };
    });
  }
}

/** Work that one loop does. */
export abstract class Looped {
  readonly #loop: Loop;

  constructor(options: LoopOptions) {
    this.#loop = new Loop(options);
  }

  start(): void {
    this.#loop.start();
  }

  /** Waits for the run under way. */
  stop(): Promise<void> {
    return this.#loop.stop();
  }
}
