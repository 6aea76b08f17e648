// Cuts off clients that send or read too slowly. Only time spent waiting for the client counts: however long an upload takes, its
// connection stays open while bytes arrive.
const tickMs = 1_000;

export interface PaceLimits {
  /** Longest time without a byte or below the lowest pace. */
  readonly waitMs: number;
  readonly slowestBytesPerSecond: number;
}

export class Pace {
  readonly #limits: PaceLimits;
  readonly #transfers = new Set<Transfer>();
  #ticker: NodeJS.Timeout | undefined;

  constructor(limits: PaceLimits) {
    this.#limits = limits;
  }

  /** `cut` is called at most once. */
  watch(cut: () => void): Transfer {
    const transfer = new Transfer(this.#limits, cut, () => this.#transfers.delete(transfer));
    this.#transfers.add(transfer);
    return transfer;
  }

  start(): void {
    this.#ticker ??= setInterval(() => {
      for (const transfer of this.#transfers) transfer.pass(tickMs);
    }, tickMs);
    this.#ticker.unref();
  }

  stop(): void {
    clearInterval(this.#ticker);
    this.#ticker = undefined;
  }
}

/** One direction of a request. Its owner must end it. */
class Transfer {
  readonly #limits: PaceLimits;
  readonly #cut: () => void;
  readonly #forget: () => void;
  #leftMs: number;
  #isWaiting = false;

  constructor(limits: PaceLimits, cut: () => void, forget: () => void) {
    this.#limits = limits;
    this.#cut = cut;
    this.#forget = forget;
    this.#leftMs = limits.waitMs;
  }

  /** `bytes`: how much the client has to read before the wait ends. */
  wait(bytes = 0): void {
    this.#isWaiting = true;
    this.#leftMs += this.#msFor(bytes);
  }

  /** `bytes` have arrived. */
  goOn(bytes = 0): void {
    this.#isWaiting = false;
    this.#leftMs = Math.min(this.#limits.waitMs, this.#leftMs + this.#msFor(bytes));
  }

  pass(ms: number): void {
    if (!this.#isWaiting) return;
    this.#leftMs -= ms;
    if (this.#leftMs > 0) return;
    this.end();
    this.#cut();
  }

  end(): void {
    this.#isWaiting = false;
    this.#forget();
  }

  #msFor(bytes: number): number {
    return (bytes / this.#limits.slowestBytesPerSecond) * 1_000;
  }
}
