// How many checks of targets that are not up may begin in one turn. After a late turn, as in a process short of CPU time, the
// number is halved, down to a thirty-second of the maximum. After each turn in time it grows by one.

/** A turn that came this late shows overload. */
const overloadMs = 50;

export class Allowance {
  readonly #most: number;
  readonly #least: number;
  #each: number;
  #left: number;

  constructor(most: number) {
    this.#most = most;
    this.#least = Math.ceil(most / 32);
    this.#each = most;
    this.#left = most;
  }

  turn(lateMs: number): void {
    const each = lateMs > overloadMs ? Math.floor(this.#each / 2) : this.#each + 1;
    this.#each = Math.min(this.#most, Math.max(this.#least, each));
    this.#left = this.#each;
  }

  /** Returns false if none is left until the next turn. */
  take(): boolean {
    if (this.#left === 0) return false;
    this.#left -= 1;
    return true;
  }
}
