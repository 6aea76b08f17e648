// Watches that something moves: it is given up when it was expected to and did not for so long.
import { TooLateError } from '../../../platform/within.ts';

export class Progress {
  readonly #stop = new AbortController();
  readonly #silentMs: number;
  readonly #what: string;
  readonly #from: AbortSignal | undefined;
  readonly #onAbort: () => void;
  #timer: NodeJS.Timeout | undefined;
  #isOver = false;

  /** `what`: for the message. `from`: ends it, too. */
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

  /** From now on something must happen. */
  expect(): void {
    if (this.#isOver) return;
    if (this.#timer === undefined)
      this.#timer = setTimeout(() => this.#stop.abort(new TooLateError(this.#what, this.#silentMs)), this.#silentMs);
    else this.#timer.refresh();
  }

  /** It happened; what comes next is for others to watch. */
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
