// Remembers recent identities: one that was captured in transit must not be accepted a second time while it is still valid.

/** Ids are kept for one to two periods. */
export class ReplayMemory {
  readonly #periodMs: number;
  readonly #most: number;
  #current = new Set<string>();
  #previous = new Set<string>();
  #turnedAtMs = 0;

  /** `periodMs`: how long an id must be remembered at least; `most`: the limit for one such period. */
  constructor(options: { readonly periodMs: number; readonly most: number }) {
    this.#periodMs = options.periodMs;
    this.#most = options.most;
  }

  /** 'full': the memory is full; ids must not be forgotten early, so nothing more is accepted for now. */
  take(id: string, nowMs: number): 'new' | 'known' | 'full' {
    this.#turn(nowMs);
    if (this.#current.has(id) || this.#previous.has(id)) return 'known';
    if (this.#current.size >= this.#most) return 'full';
    this.#current.add(id);
    return 'new';
  }

  #turn(nowMs: number): void {
    const passedMs = nowMs - this.#turnedAtMs;
    if (passedMs >= 0 && passedMs < this.#periodMs) return;
    // Setting the clock back forgets nothing.
    const kept = passedMs < 0 ? [...this.#previous, ...this.#current] : this.#current;
    this.#previous = passedMs < 2 * this.#periodMs ? new Set(kept) : new Set();
    this.#current = new Set();
    this.#turnedAtMs = nowMs;
  }
}
