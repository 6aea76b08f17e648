// How long the other end of a link has been silent. Only time in which this process could have read counts. A paused process has
// read nothing, and messages that arrived during the pause are still unread.

export class Silence {
  readonly #lookMs: number;
  #heardMs = performance.now();
  #lookedMs = performance.now();

  /** `lookMs`: so often it is asked. */
  constructor(lookMs: number) {
    this.#lookMs = lookMs;
  }

  heard(): void {
    this.#heardMs = performance.now();
  }

  /** In milliseconds. */
  look(): number {
    const nowMs = performance.now();
    const stoodStillMs = Math.max(nowMs - this.#lookedMs - this.#lookMs, 0);
    this.#lookedMs = nowMs;
    this.#heardMs = Math.min(this.#heardMs + stoodStillMs, nowMs);
    return nowMs - this.#heardMs;
  }
}
