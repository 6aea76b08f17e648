// Token buckets by key, in this process: a burst, then a rate. Keys without recent use are dropped: their buckets would be full
// by then.
import { LRUCache } from 'lru-cache';

export interface TokenBucketOptions {
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

  /** The number of misses since the last token; undefined: there is no token now, and this is another miss. */
  take(key: string): number | undefined {
    const { burst, perSecond, now = () => performance.now() } = this.#options;
    const atMs = now();
    const known = this.#buckets.get(key);
    const filled = known === undefined ? burst : known.tokens + ((atMs - known.atMs) * perSecond) / 1_000;
    const tokens = Math.min(burst, filled);
    const missed = known?.missed ?? 0;
    const isGiven = tokens >= 1;
    this.#buckets.set(key, { tokens: isGiven ? tokens - 1 : tokens, atMs, missed: isGiven ? 0 : missed + 1 });
    return isGiven ? missed : undefined;
  }
}
