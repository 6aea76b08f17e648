// A cache bounded by bytes in which new values do not evict those that are in use: a value begins on probation, and is protected once it is
// used again a second or more after it came. What is protected is evicted, back to probation, only by other protected values.
import { LRUCache } from 'lru-cache';

interface FrequentCacheOptions<Value> {
  readonly maxBytes: number;
  /** At most half of `maxBytes`: a larger value is not kept. */
  readonly bytesOf: (value: Value, key: string) => number;
  /** Monotonic milliseconds. */
  readonly now?: () => number;
}

interface Entry<Value> {
  readonly value: Value;
  readonly bytes: number;
  readonly sinceMs: number;
}

const probationShare = 0.5;
const provenAfterMs = 1_000;

export class FrequentCache<Value> {
  readonly #options: FrequentCacheOptions<Value>;
  readonly #now: () => number;
  readonly #probation: LRUCache<string, Entry<Value>>;
  readonly #protected: LRUCache<string, Entry<Value>>;

  constructor(options: FrequentCacheOptions<Value>) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
    const sizeCalculation = ({ bytes }: Entry<Value>): number => bytes;
    const probationBytes = Math.floor(options.maxBytes * probationShare);
    this.#probation = new LRUCache({ maxSize: probationBytes, sizeCalculation });
    this.#protected = new LRUCache({
      ...{ maxSize: options.maxBytes - probationBytes, sizeCalculation },
      dispose: (entry, key, reason) => {
        if (reason === 'evict') this.#probation.set(key, { ...entry, sinceMs: this.#now() });
      },
    });
  }

  get(key: string): Value | undefined {
    const entry = this.#protected.get(key);
    return entry === undefined ? this.#onProbation(key) : entry.value;
  }

  set(key: string, value: Value): void {
    this.delete(key);
    this.#probation.set(key, { value, bytes: this.#options.bytesOf(value, key), sinceMs: this.#now() });
  }

  delete(key: string): void {
    this.#protected.delete(key);
    this.#probation.delete(key);
  }

  /** What is used often first, and of that what was used last. */
  *entries(): Generator<readonly [key: string, value: Value]> {
    for (const cache of [this.#protected, this.#probation])
      for (const [key, { value }] of cache.entries()) yield [key, value];
  }

  #onProbation(key: string): Value | undefined {
    const entry = this.#probation.get(key);
    if (entry === undefined) return undefined;
    if (this.#now() - entry.sinceMs >= provenAfterMs) {
      this.#probation.delete(key);
      this.#protected.set(key, entry);
    }
    return entry.value;
  }
}
