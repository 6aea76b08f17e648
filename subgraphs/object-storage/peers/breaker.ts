// Whether a server of another cluster is worth a request now. After failures it is left alone for a short time, in which a request fails at once
// and certainly does nothing; then one is tried.

const mostFailures = 2;
const firstPauseMs = 250;
const longestPauseMs = 2_000;

export class Breaker {
  readonly #nowMs: () => number;
  #failures = 0;
  #closedAgainMs = 0;
  #isTrying = false;

  constructor(nowMs = () => performance.now()) {
    this.#nowMs = nowMs;
  }

  /** Whether all is refused for now. */
  get isOpen(): boolean {
    return this.#failures >= mostFailures && this.#nowMs() < this.#closedAgainMs;
  }

  /** Asked before a request, of whose end it is told: false for all but one after a pause. */
  take(): boolean {
    if (this.#failures < mostFailures) return true;
    if (this.isOpen || this.#isTrying) return false;
    this.#isTrying = true;
    return true;
  }

  succeeded(): void {
    this.#failures = 0;
    this.#isTrying = false;
  }

  /** Its end says nothing. */
  left(): void {
    this.#isTrying = false;
  }

  failed(): void {
    this.#isTrying = false;
    // Those that were under way when it opened say nothing new.
    if (this.isOpen) return;
    this.#failures += 1;
    const pauseMs = firstPauseMs * 2 ** Math.max(0, this.#failures - mostFailures);
    this.#closedAgainMs = this.#nowMs() + Math.min(longestPauseMs, pauseMs);
  }
}
