// Token buckets by key, in this process: a burst, then a rate. Keys without recent use are dropped: their buckets would be full
// by then.
import { LRUCache } from 'lru-cache';

interface TokenBucketOptions {
  /** The burst size. */
  readonly burst: number;
  readonly perSecond: number;
  /** Default 10000. */
  readonly mostKeys?: number;
  /** Monotonic milliseconds. */
  readonly now?: () => number;
}

interface Bucket {
  tokens: number;
  atMs: number;
  missed: number;
}

export class TokenBuckets {
  readonly #options: TokenBucketOptions;
  readonly #buckets: LRUCache<string, Bucket>;

  constructor(options: TokenBucketOptions) {
    this.#options = options;
    this.#buckets = new LRUCache({ max: options.mostKeys ?? 10_000 });
  }

  /**
   * Takes this many tokens and returns the number of misses since the last success. Returns undefined if there are too few tokens,
   * which counts as a miss.
   */
  take(key: string, count = 1): number | undefined {
    const atMs = this.#now();
    const known = this.#buckets.get(key);
    const tokens = this.#tokens(known, atMs);
    const missed = known?.missed ?? 0;
    const isGiven = tokens >= count;
    this.#buckets.set(key, { tokens: isGiven ? tokens - count : tokens, atMs, missed: isGiven ? 0 : missed + 1 });
    return isGiven ? missed : undefined;
  }

  /** Takes tokens, even more than there are: the debt is paid before the next one is available. */
  spend(key: string, count: number): void {
    const atMs = this.#now();
    const known = this.#buckets.get(key);
    this.#buckets.set(key, { tokens: this.#tokens(known, atMs) - count, atMs, missed: known?.missed ?? 0 });
  }

  /** Milliseconds until the bucket has this many tokens, if nobody else takes any. Returns 0 if it has them now. */
  waitMs(key: string, count = 1): number {
    const missing = count - this.#tokens(this.#buckets.get(key), this.#now());
    return missing <= 0 ? 0 : Math.ceil((missing * 1_000) / this.#options.perSecond);
  }

  #now(): number {
    return (this.#options.now ?? (() => performance.now()))();
  }

  #tokens(known: Bucket | undefined, atMs: number): number {
    const { burst, perSecond } = this.#options;
    if (known === undefined) return burst;
    return Math.min(burst, known.tokens + ((atMs - known.atMs) * perSecond) / 1_000);
  }
}
