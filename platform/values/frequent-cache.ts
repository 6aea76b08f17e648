// A cache bounded by bytes in which new values do not evict those that are in use: a value begins on probation, and is protected once it is
// used again a second or more after it came. What is protected is evicted, back to probation, only by other protected values. Of these,
// those that one user alone uses have a quarter of the room: who sends many values twice evicts their own.
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
  /** The only user of a protected value so far. */
  user: string | undefined;
}

interface Held {
  bytes: number;
  /** In the order of their protection. */
  readonly keys: Set<string>;
}

const probationShare = 0.5;
const provenAfterMs = 1_000;
/** Of the protected part. */
const userShare = 0.25;

export class FrequentCache<Value> {
  readonly #options: FrequentCacheOptions<Value>;
  readonly #now: () => number;
  readonly #probation: LRUCache<string, Entry<Value>>;
  readonly #protected: LRUCache<string, Entry<Value>>;
  readonly #mostOfUser: number;
  /** By user. */
  readonly #held = new Map<string, Held>();

  constructor(options: FrequentCacheOptions<Value>) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
    const sizeCalculation = ({ bytes }: Entry<Value>): number => bytes;
    const probationBytes = Math.floor(options.maxBytes * probationShare);
    const protectedBytes = options.maxBytes - probationBytes;
    this.#mostOfUser = Math.floor(protectedBytes * userShare);
    this.#probation = new LRUCache({ maxSize: probationBytes, sizeCalculation });
    this.#protected = new LRUCache({
      ...{ maxSize: protectedBytes, sizeCalculation },
      dispose: (entry, key, reason) => {
        this.#release(key, entry);
        if (reason === 'evict') this.#probation.set(key, { ...entry, sinceMs: this.#now() });
      },
    });
  }

  /** `user`: who wants it. Undefined: this installation itself. */
  get(key: string, user?: string): Value | undefined {
    const entry = this.#protected.get(key);
    if (entry === undefined) return this.#onProbation(key, user);
    if (entry.user !== user) this.#release(key, entry);
    return entry.value;
  }

  /** Does not count as a use. */
  peek(key: string): Value | undefined {
    return (this.#protected.peek(key) ?? this.#probation.peek(key))?.value;
  }

  set(key: string, value: Value): void {
    this.delete(key);
    const bytes = this.#options.bytesOf(value, key);
    this.#probation.set(key, { value, bytes, sinceMs: this.#now(), user: undefined });
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

  #onProbation(key: string, user: string | undefined): Value | undefined {
    const entry = this.#probation.get(key);
    if (entry === undefined) return undefined;
    if (this.#now() - entry.sinceMs >= provenAfterMs) {
      this.#probation.delete(key);
      this.#protect(key, entry, user);
    }
    return entry.value;
  }

  #protect(key: string, entry: Entry<Value>, user: string | undefined): void {
    entry.user = user;
    if (user !== undefined) {
      const held = this.#held.get(user) ?? { bytes: 0, keys: new Set() };
      this.#held.set(user, held);
      held.bytes += entry.bytes;
      held.keys.add(key);
    }
    this.#protected.set(key, entry);
    if (user !== undefined) this.#demote(user);
  }

  /** Back to probation with the user's first ones. */
  #demote(user: string): void {
    const held = this.#held.get(user);
    for (const key of held?.keys ?? []) {
      if (held === undefined || held.bytes <= this.#mostOfUser) return;
      const entry = this.#protected.peek(key);
      this.#protected.delete(key);
      if (entry !== undefined) this.#probation.set(key, { ...entry, sinceMs: this.#now(), user: undefined });
    }
  }

  /** It counts for no user any more. */
  #release(key: string, entry: Entry<Value>): void {
    const { user } = entry;
    if (user === undefined) return;
    entry.user = undefined;
    const held = this.#held.get(user);
    if (held?.keys.delete(key) !== true) return;
    held.bytes -= entry.bytes;
    if (held.keys.size === 0) this.#held.delete(user);
  }
}
