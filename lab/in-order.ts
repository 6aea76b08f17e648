// Runs work on one thing in order, and work on several things at once.

export class InOrder<Key> {
  readonly #last = new Map<Key, Promise<unknown>>();

  run<Result>(key: Key, work: () => Promise<Result>): Promise<Result> {
    const before = this.#last.get(key) ?? Promise.resolve();
    const done = before.then(work, work);
    this.#last.set(
      key,
      done.catch(() => {}),
    );
    return done;
  }

  /** Resolves when all work so far has ended. */
  async idle(): Promise<void> {
    await Promise.allSettled(this.#last.values());
  }
}
