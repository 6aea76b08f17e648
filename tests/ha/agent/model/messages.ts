// Messages between agents and etcd, and acknowledgements between servers. A message arrives at once, later in another order, or never.
import type { Random } from '../../../../trials/random.ts';

interface MessageFaults {
  /** The share of late messages that take as long as a promotion, or longer. */
  readonly slow: number;
  readonly lost: number;
}

export class Messages {
  readonly #random: Random;
  readonly #faults: MessageFaults;
  readonly #late: (() => void)[] = [];
  readonly #slow: (() => void)[] = [];
  losesSome = true;

  constructor(random: Random, faults: MessageFaults) {
    this.#random = random;
    this.#faults = faults;
  }

  /** Runs `work` at once, later or never. `done` gets the result, or undefined if the answer is lost. */
  ask<Result>(isReachable: boolean, work: () => Result, done: (result: Result | undefined) => void): void {
    const { next } = this.#random;
    const isLost = this.#isLost();
    if (isLost || !isReachable) {
      // A member of etcd that hung runs the work, perhaps long after the caller gave up.
      if (isReachable && next() < 0.5) this.#slow.push(() => void work());
      this.later(() => done(undefined));
      return;
    }
    const finish = () => {
      const result = work();
      const isAnswerLost = this.#isLost();
      this.soon(() => done(isAnswerLost ? undefined : result));
    };
    this.soon(finish);
  }

  /** Runs long after the caller gave up. */
  late(work: () => unknown): void {
    this.#slow.push(() => void work());
  }

  soon(work: () => void): void {
    if (this.#random.next() < 0.5) work();
    else this.later(work);
  }

  later(work: () => void): void {
    const queue = this.#random.next() < this.#faults.slow ? this.#slow : this.#late;
    queue.push(work);
  }

  oneArrives(): void {
    const { integer, next } = this.#random;
    const from = this.#late.length === 0 || next() < 0.04 ? this.#slow : this.#late;
    if (from.length === 0 || (from === this.#slow && next() < 0.8)) return;
    const [work] = from.splice(integer(0, Math.min(3, from.length - 1)), 1);
    work?.();
  }

  #isLost(): boolean {
    return this.losesSome && this.#random.next() < this.#faults.lost;
  }
}
