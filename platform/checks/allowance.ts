// How many checks of targets that are not up may begin in one turn: half after a turn that came late, as in a process that lacks CPU
// time, but at least a thirty-second of all; one more after each that came in time.

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

  /** False: none is left until the next turn. */
  take(): boolean {
    if (this.#left === 0) return false;
    this.#left -= 1;
    return true;
  }
}
