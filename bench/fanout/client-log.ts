// The events that one client received, in order, and their check: it must have every event of its project after its first cursor, once and in order.

interface ClientResult {
  /** Events that never arrived. */
  readonly missing: number;
  /** Events that arrived again. */
  readonly repeated: number;
  /** Events of other clients, and events that arrived after a later one. */
  readonly wrong: number;
}

export class ClientLog {
  /** Place of the first item in the stream: a checkpoint, because the client began without a cursor. */
  #start: number | undefined;
  readonly #seqs: number[] = [];
  readonly #receivedMs: number[] = [];

  get started(): boolean {
    return this.#start !== undefined;
  }

  get length(): number {
    return this.#seqs.length;
  }

  /** `isChange` is false for checkpoints. */
  add(seq: number, isChange: boolean, nowMs: number): void {
    if (this.#start === undefined) this.#start = isChange ? seq - 1 : seq;
    if (!isChange) return;
    this.#seqs.push(seq);
    this.#receivedMs.push(nowMs);
  }

  /** How many of `expected` (all events of the project, in rising order) the client should have received. */
  due(expected: readonly number[]): number {
    const start = this.#start;
    return start === undefined ? expected.length : expected.filter((seq) => seq > start).length;
  }

  resultFor(expected: readonly number[]): ClientResult {
    const start = this.#start;
    const owed = new Set(start === undefined ? expected : expected.filter((seq) => seq > start));
    const seen = new Set<number>();
    let [repeated, wrong, newest] = [0, 0, 0];
    for (const seq of this.#seqs) {
      if (seen.has(seq)) repeated += 1;
      else if (!owed.has(seq) || seq < newest) wrong += 1;
      seen.add(seq);
      newest = Math.max(newest, seq);
    }
    return { missing: [...owed].filter((seq) => !seen.has(seq)).length, repeated, wrong };
  }

  /** The time from commit to delivery, in milliseconds, for the events in `committedMs`. */
  latenciesMs(committedMs: ReadonlyMap<number, number>): number[] {
    return this.#seqs.flatMap((seq, index) => {
      const committed = committedMs.get(seq);
      return committed === undefined ? [] : [(this.#receivedMs[index] ?? Number.NaN) - committed];
    });
  }
}
