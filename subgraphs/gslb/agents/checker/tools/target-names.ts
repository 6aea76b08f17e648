// Addresses of targets with host names. They are resolved again when their TTL has passed. While the name server fails, they are
// kept for some time, because its failure is no information about a member. Only a name that no longer exists counts at once.
import { isIP } from 'node:net';
import { isAbsence, type ResolveName } from '../../../../../platform/net/resolve-name.ts';

interface TargetNamesOptions {
  readonly resolve: ResolveName;
  /** Monotonic milliseconds. */
  readonly now: () => number;
}

interface Entry {
  /** Empty if the name does not exist or has no address. */
  addresses: readonly string[];
  resolvedMs: number;
  dueMs: number;
  resolving: Promise<void> | undefined;
}

const leastTtlMs = 1_000;
const mostTtlMs = 60_000;
/** A name keeps its addresses for this long while its name server fails. */
export const keepMs = 600_000;
/** A failed attempt is not repeated sooner. */
const retryMs = 500;
const mostNames = 50_000;
const mostAddresses = 8;

export class TargetNames {
  readonly #options: TargetNamesOptions;
  /** The least recently used first. */
  readonly #entries = new Map<string, Entry>();

  constructor(options: TargetNamesOptions) {
    this.#options = options;
  }

  /**
   * The current addresses. Empty if the name has none. A promise only if none are known yet. It rejects if the name server fails,
   * which is no information about the member.
   */
  addressesOf(name: string): readonly string[] | Promise<readonly string[]> {
    const now = this.#options.now();
    const key = name.toLowerCase();
    const entry = this.#entryOf(key);
    if (now >= entry.dueMs) entry.resolving ??= this.#resolve(key, entry);
    if (now - entry.resolvedMs < keepMs) {
      // The rejection is ignored if nobody waits for it.
      entry.resolving?.catch(() => undefined);
      return entry.addresses;
    }
    if (entry.resolving === undefined) return Promise.reject(new Error(`${name} could not be resolved`));
    return entry.resolving.then(() => entry.addresses);
  }

  #entryOf(key: string): Entry {
    const known = this.#entries.get(key);
    const entry = known ?? { addresses: [], resolvedMs: Number.NEGATIVE_INFINITY, dueMs: 0, resolving: undefined };
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    const [oldest] = this.#entries.keys();
    if (this.#entries.size > mostNames && oldest !== undefined) this.#entries.delete(oldest);
    return entry;
  }

  async #resolve(key: string, entry: Entry): Promise<void> {
    const { resolve, now } = this.#options;
    try {
      const found = await resolve(key).catch((error: unknown) => {
        if (isAbsence(error)) return [];
        throw error;
      });
      const ttlMs = Math.min(mostTtlMs, ...found.map(({ ttlSeconds }) => ttlSeconds * 1_000));
      entry.addresses = [...new Set(found.map(({ address }) => address))]
        .filter((address) => isIP(address) !== 0)
        .sort()
        .slice(0, mostAddresses);
      entry.resolvedMs = now();
      entry.dueMs = entry.resolvedMs + Math.max(leastTtlMs, found.length === 0 ? 0 : ttlMs);
    } catch (error) {
      entry.dueMs = now() + retryMs;
      throw error;
    } finally {
      entry.resolving = undefined;
    }
  }
}
