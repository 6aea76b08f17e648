// A queue for each user. Users take turns, and each user's requests are served in the order of their arrival.

/** `not yet`: others may be served. `no room`: nobody can be. */
export type Served = 'served' | 'not yet' | 'no room';

export class WaitingLines<Waiting> {
  /** Keyed by user. The first queue is next. */
  readonly #lines = new Map<string, Set<Waiting>>();

  add(user: string, waiting: Waiting): void {
    const line = this.#lines.get(user) ?? new Set();
    this.#lines.set(user, line.add(waiting));
  }

  delete(user: string, waiting: Waiting): void {
    const line = this.#lines.get(user);
    line?.delete(waiting);
    if (line?.size === 0) this.#lines.delete(user);
  }

  /** Removes the first one that is served. False if none is. */
  serve(give: (waiting: Waiting) => Served): boolean {
    for (const [user, line] of this.#lines) {
      const [first] = line;
      const served = first === undefined ? 'not yet' : give(first);
      if (served === 'no room') return false;
      if (first === undefined || served === 'not yet') continue;
      this.delete(user, first);
      // The user's next request waits until all others had a turn.
      if (line.size > 0 && this.#lines.delete(user)) this.#lines.set(user, line);
      return true;
    }
    return false;
  }
}
