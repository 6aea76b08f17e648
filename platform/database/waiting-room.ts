// Requests wait here for a primary. The number of places is bounded and shared among callers. When it is full, a caller with fewer
// requests takes a place from the caller with the most, so a flood keeps nobody else from waiting.
import { currentCaller } from '../caller/caller.ts';

interface Waiter<Value> {
  readonly caller: string;
  readonly resolve: (value: Value) => void;
  readonly reject: (error: unknown) => void;
}

export class WaitingRoom<Value> {
  readonly #most: number;
  readonly #refusal: () => Error;
  /** In the order of arrival. */
  readonly #waiting = new Set<Waiter<Value>>();
  readonly #counts = new Map<string, number>();

  /** `refusal`: of a request that finds no place, loses it, or has waited too long. */
  constructor({ most, refusal }: { readonly most: number; readonly refusal: () => Error }) {
    this.#most = most;
    this.#refusal = refusal;
  }

  get size(): number {
    return this.#waiting.size;
  }

  /** Waits until `resolveAll`, at most this long. */
  async wait(timeoutMs: number): Promise<Value> {
    const caller = currentCaller() ?? '';
    if (this.#waiting.size >= this.#most && !this.#makeRoom(caller)) throw this.#refusal();
    const { promise, resolve, reject } = Promise.withResolvers<Value>();
    const waiter = { caller, resolve, reject };
    this.#waiting.add(waiter);
    this.#counts.set(caller, this.#count(caller) + 1);
    const timer = setTimeout(() => reject(this.#refusal()), timeoutMs);
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      this.#leave(waiter);
    }
  }

  resolveAll(value: Value): void {
    for (const { resolve } of this.#waiting) resolve(value);
  }

  rejectAll(error: unknown): void {
    for (const { reject } of this.#waiting) reject(error);
  }

  /** Returns false if nobody has more requests here than this caller would have. */
  #makeRoom(caller: string): boolean {
    const [greediest, most] = [...this.#counts].reduce((one, other) => (other[1] > one[1] ? other : one), ['', 0]);
    if (most <= this.#count(caller) + 1) return false;
    const last = [...this.#waiting].findLast((waiter) => waiter.caller === greediest);
    if (last === undefined) return false;
    this.#leave(last);
    last.reject(this.#refusal());
    return true;
  }

  #count(caller: string): number {
    return this.#counts.get(caller) ?? 0;
  }

  #leave(waiter: Waiter<Value>): void {
    if (!this.#waiting.delete(waiter)) return;
    const left = this.#count(waiter.caller) - 1;
    if (left > 0) this.#counts.set(waiter.caller, left);
    else this.#counts.delete(waiter.caller);
  }
}
