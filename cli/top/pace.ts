// Intervals at which `tidegate top` reads data without events. Pure.

/** Limit of the age of shown data. */
export const slowestMs = 30_000;

/** Unchanged data is read less and less often, until it changes. */
export class Pace {
  #last: string | undefined;
  #pauseMs = 0;

  /** `read`: the data in a comparable form. `usualMs`: interval after a change. */
  next(read: unknown, usualMs: number): number {
    const text = JSON.stringify(read);
    this.#pauseMs = text === this.#last ? Math.min(slowestMs, 2 * Math.max(this.#pauseMs, usualMs)) : usualMs;
    this.#last = text;
    return this.#pauseMs;
  }
}
