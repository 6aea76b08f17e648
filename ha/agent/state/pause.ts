// The pause between two turns of the agent's loop. It ends early when the next step may have changed.

import { setTimeout as sleepFor } from 'node:timers/promises';
import type { Step } from '../decide.ts';

interface PauseOptions {
  readonly nowMs: () => number;
  readonly signal: AbortSignal;
  /** Rejects once the signal aborts. Default: a timer. */
  readonly sleep?: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** Pause if nothing ends it early. Changes in etcd and the end of the server do. */
const tickMs = 200;
const soonMs = 10;
/** A server whose sessions have ended is still a process for a moment. */
const endsWithinMs = 500;
/** Steps that may have had no effect, so they are repeated. */
const pausing: ReadonlySet<Step['kind']> = new Set([
  'wait',
  'follow',
  'rest',
  'clone',
  'close',
  'hold',
  'bar',
  'end-sessions',
]);

export class Pause {
  readonly #nowMs: () => number;
  readonly #signal: AbortSignal;
  readonly #sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  #isWoken = false;
  #end: () => void = () => undefined;
  #sessionEndedAtMs = Number.NEGATIVE_INFINITY;

  constructor({ nowMs, signal, sleep = (ms, ending) => sleepFor(ms, undefined, { signal: ending }) }: PauseOptions) {
    this.#nowMs = nowMs;
    this.#signal = signal;
    this.#sleep = sleep;
  }

  /** Ends the pause, or the next one if there is none at the moment. */
  wake(): void {
    this.#isWoken = true;
    this.#end();
  }

  /** The server may have ended. */
  sessionEnded(): void {
    this.#sessionEndedAtMs = this.#nowMs();
    this.wake();
  }

  /** `step`: undefined if it failed. */
  async after(step: Step | undefined): Promise<void> {
    if (step !== undefined && !pausing.has(step.kind)) return;
    const isEnding = this.#nowMs() - this.#sessionEndedAtMs < endsWithinMs;
    const isSoon = isEnding || (step?.kind === 'wait' && step.soon === true);
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#end = resolve;
    if (!this.#isWoken)
      await Promise.race([promise, this.#sleep(isSoon ? soonMs : tickMs, this.#signal).catch(() => undefined)]);
    this.#isWoken = false;
  }
}
