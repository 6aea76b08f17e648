// How late checks begin: the longest delay of the last ten to twenty seconds.
const periodMs = 10_000;

export class Lateness {
  #worstMs = 0;
  #earlierMs = 0;
  #untilMs = 0;

  note(lateMs: number, nowMs: number): void {
    this.#turn(nowMs);
    this.#worstMs = Math.max(this.#worstMs, lateMs);
  }

  worstMs(nowMs: number): number {
    this.#turn(nowMs);
    return Math.max(this.#worstMs, this.#earlierMs);
  }

  #turn(nowMs: number): void {
    if (nowMs < this.#untilMs) return;
    this.#earlierMs = nowMs < this.#untilMs + periodMs ? this.#worstMs : 0;
    this.#worstMs = 0;
    this.#untilMs = nowMs + periodMs;
  }
}
