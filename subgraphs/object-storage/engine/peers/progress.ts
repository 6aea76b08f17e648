// Watches for progress: aborts when expected progress does not come for too long.
import { TooLateError } from '../../../../platform/work/within.ts';

export class Progress {
  readonly #stop = new AbortController();
  readonly #silentMs: number;
  readonly #what: string;
  readonly #from: AbortSignal | undefined;
  readonly #onAbort: () => void;
  #timer: NodeJS.Timeout | undefined;
  #isOver = false;

  /** `what`: subject of the message. `from`: a signal that aborts it too. */
  constructor(silentMs: number, what: string, from?: AbortSignal) {
    this.#silentMs = silentMs;
    this.#what = what;
    this.#from = from;
    this.#onAbort = () => this.#stop.abort(from?.reason);
    if (from?.aborted === true) this.#onAbort();
    else from?.addEventListener('abort', this.#onAbort, { once: true });
  }

  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  /** From now on progress is expected. */
  expect(): void {
    if (this.#isOver) return;
    if (this.#timer === undefined)
      this.#timer = setTimeout(() => this.#stop.abort(new TooLateError(this.#what, this.#silentMs)), this.#silentMs);
    else this.#timer.refresh();
  }

  /** There was progress. Until the next `expect`, others are responsible. */
  pause(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  end(): void {
    this.#isOver = true;
    this.pause();
    this.#from?.removeEventListener('abort', this.#onAbort);
  }
}
