// Detects that this process was starved: its event loop was blocked, the machine was overloaded, or the process was stopped.
// Failures during that time are no evidence about the targets.

interface StarvationGuardOptions {
  /** Monotonic milliseconds. */
  readonly now: () => number;
  /** How often the timer beats. */
  readonly beatMs?: number;
  /** A beat later than this is starvation. */
  readonly boundMs?: number;
  /** Called with the worst lag every few seconds. */
  readonly onLag?: (lagMs: number) => void;
}

const lagReportMs = 5_000;

export class StarvationGuard {
  readonly #now: () => number;
  readonly #beatMs: number;
  readonly #boundMs: number;
  #lastBeatAt: number;
  #starvedUntil = Number.NEGATIVE_INFINITY;
  #worstLagMs = 0;
  readonly #onLag: ((lagMs: number) => void) | undefined;
  #reportedAt: number;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: StarvationGuardOptions) {
    this.#now = options.now;
    this.#beatMs = options.beatMs ?? 50;
    this.#boundMs = options.boundMs ?? 250;
    this.#onLag = options.onLag;
    this.#lastBeatAt = this.#now();
    this.#reportedAt = this.#lastBeatAt;
  }

  start(): void {
    this.#lastBeatAt = this.#now();
    this.#timer ??= setInterval(() => this.beat(), this.#beatMs);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** Called by the timer; by hand in tests. */
  beat(): void {
    const now = this.#now();
    const lagMs = now - this.#lastBeatAt - this.#beatMs;
    this.#worstLagMs = Math.max(this.#worstLagMs, lagMs);
    if (lagMs > this.#boundMs) this.#starvedUntil = now;
    this.#lastBeatAt = now;
    if (now - this.#reportedAt < lagReportMs) return;
    this.#onLag?.(this.#worstLagMs);
    this.#worstLagMs = 0;
    this.#reportedAt = now;
  }

  /**
   * Whether the process was starved at any time since `startedAt`. An overdue beat counts too: after a block, the timers of
   * checks may run before this one.
   */
  starvedSince(startedAt: number): boolean {
    this.#notePause();
    return this.#starvedUntil >= startedAt;
  }

  #notePause(): void {
    const now = this.#now();
    if (now - this.#lastBeatAt - this.#beatMs > this.#boundMs) this.#starvedUntil = now;
  }
}
