// How long `tidegate top` waits until it reads again what has not been said to change. Pure.

/** Longer than this nobody wants to be shown something old. */
export const slowestMs = 30_000;

/** What does not change is read less and less often, until it changes. */
export class Pace {
  #last: string | undefined;
  #pauseMs = 0;

  /** `read`: what was read, in a form that can be compared. `usualMs`: after a change. */
  next(read: unknown, usualMs: number): number {
    const text = JSON.stringify(read);
    this.#pauseMs = text === this.#last ? Math.min(slowestMs, 2 * Math.max(this.#pauseMs, usualMs)) : usualMs;
    this.#last = text;
    return this.#pauseMs;
  }
}
