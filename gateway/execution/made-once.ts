// Values that are computed once for all callers, and cached. While one is computed, each caller waits for a turn of its own, and never in the queue
// of another caller, which may contain a thousand operations.
import { FrequentCache } from '../../platform/values/frequent-cache.ts';

interface Entry<Value> {
  readonly bytes: number;
  readonly made: Promise<Value>;
}

export class MadeOnce<Value> {
  readonly #kept: FrequentCache<Entry<Value>>;
  /** Keyed by caller and key. */
  readonly #pending = new Map<string, Promise<Value>>();

  constructor({ maxBytes }: { readonly maxBytes: number }) {
    this.#kept = new FrequentCache({ maxBytes, bytesOf: ({ bytes }) => bytes });
  }

  /** `user`: the caller. Undefined for the installation itself. */
  known(key: string, user: string | undefined): Promise<Value> | undefined {
    return this.#kept.get(key, user)?.made;
  }

  /** `caller`: in whose turn it is computed. Failures are not cached. */
  make(
    key: string,
    caller: string,
    { bytes, make }: { readonly bytes: number; readonly make: () => Promise<Value> },
  ): Promise<Value> {
    const own = `${caller}\n${key}`;
    const pending = this.#pending.get(own);
    if (pending !== undefined) return pending;
    const made = make();
    this.#pending.set(own, made);
    made.then(
      () => {
        this.#pending.delete(own);
        // Another caller's turn may have come first.
        if (this.#kept.peek(key) === undefined) this.#kept.set(key, { bytes, made });
      },
      () => this.#pending.delete(own),
    );
    return made;
  }
}
