// Limits the use of a server by account. No account gets more than its share, so others always find room.

export class Shares {
  readonly #most: number;
  readonly #mostOfOne: number;
  readonly #counts = new Map<string, number>();
  #total = 0;

  constructor(limits: { readonly most: number; readonly mostOfOne: number }) {
    this.#most = limits.most;
    this.#mostOfOne = limits.mostOfOne;
  }

  /** Returns a function that releases it; call that once. Undefined if the account has used up its share, or the server is full. */
  take(account: string): (() => void) | undefined {
    const count = this.#counts.get(account) ?? 0;
    if (this.#total >= this.#most || count >= this.#mostOfOne) return undefined;
    this.#total += 1;
    this.#counts.set(account, count + 1);
    let isTaken = true;
    return () => {
      if (!isTaken) return;
      isTaken = false;
      this.#total -= 1;
      const left = (this.#counts.get(account) ?? 1) - 1;
      if (left === 0) this.#counts.delete(account);
      else this.#counts.set(account, left);
    };
  }
}
