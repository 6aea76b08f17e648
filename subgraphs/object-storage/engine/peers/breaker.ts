// Decides whether to send a request to a server of another cluster. After failures the server is left alone for a short time, during which
// requests fail at once and certainly have no effect. Then one request is tried.

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

  /** Whether all requests are refused for now. */
  get isOpen(): boolean {
    return this.#failures >= mostFailures && this.#nowMs() < this.#closedAgainMs;
  }

  /** Call it before a request, and report the outcome afterwards. After a pause it returns true for one request only. */
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

  /** The outcome is not informative. */
  left(): void {
    this.#isTrying = false;
  }

  failed(): void {
    this.#isTrying = false;
    // Requests that were in flight when it opened add no information.
    if (this.isOpen) return;
    this.#failures += 1;
    const pauseMs = firstPauseMs * 2 ** Math.max(0, this.#failures - mostFailures);
    this.#closedAgainMs = this.#nowMs() + Math.min(longestPauseMs, pauseMs);
  }
}
