// The clusters that could serve their users at a given time, despite the faults. A client's request counts for the share of acknowledged
// ones only if its cluster and a majority of the name's holders were reachable the whole time.

export class Reach {
  readonly #quorum: number;
  readonly #graceMs: number;
  readonly #down = new Map<number, number>();
  readonly #cut = new Map<string, number>();
  readonly #states: {
    readonly fromMs: number;
    readonly down: ReadonlySet<number>;
    readonly cut: ReadonlySet<string>;
  }[] = [];

  /** A fault still counts for some time after its end. */
  constructor(quorum: number, graceMs: number) {
    this.#quorum = quorum;
    this.#graceMs = graceMs;
    this.#note();
  }

  /** Call it before the fault starts. It returns a function to call after the end. Returns a function to call after its end. */
  down(cluster: number): () => void {
    return this.#more(this.#down, cluster);
  }

  cut(from: number, to: number): () => void {
    return this.#more(this.#cut, `${from}>${to}`);
  }

  /** Whether that cluster could serve data of these holders during all of this time. */
  served(cluster: number, holders: readonly number[], fromMs: number, toMs: number): boolean {
    return this.#states.every((state, at) => {
      const untilMs = this.#states[at + 1]?.fromMs ?? Number.POSITIVE_INFINITY;
      if (state.fromMs > toMs || untilMs < fromMs - this.#graceMs) return true;
      const reached = holders.filter(
        (each) => !state.down.has(each) && (each === cluster || !state.cut.has(`${cluster}>${each}`)),
      );
      return !state.down.has(cluster) && reached.length >= this.#quorum;
    });
  }

  #more<Key>(counts: Map<Key, number>, key: Key): () => void {
    counts.set(key, (counts.get(key) ?? 0) + 1);
    this.#note();
    return () => {
      const left = (counts.get(key) ?? 1) - 1;
      if (left === 0) counts.delete(key);
      else counts.set(key, left);
      this.#note();
    };
  }

  #note(): void {
    const [down, cut] = [new Set(this.#down.keys()), new Set(this.#cut.keys())];
    this.#states.push({ fromMs: performance.now(), down, cut });
  }
}
