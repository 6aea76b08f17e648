// Addresses of members that are named by host. HAProxy takes names only when it starts, and registers a server whose name does not resolve
// without a word: so names are resolved here, again when their time to live has passed, and each address passes the egress policy.
import { readFile, rename, writeFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { z } from 'zod';
import { jsonIn } from '../../../platform/json.ts';
import type { Logger } from '../../../platform/log.ts';
import { Loop } from '../../../platform/loop.ts';
import type { EgressPolicy } from '../../../platform/net/egress.ts';
import type { ResolveName } from '../../../platform/net/resolve-name.ts';
import { atMost } from '../../../platform/within.ts';

export interface MemberNamesOptions {
  /** What is known is kept here: a host that starts again without its name server serves on. */
  readonly path: string;
  readonly egress: EgressPolicy;
  readonly resolve: ResolveName;
  readonly log: Logger;
  /** Milliseconds since 1970; default Date.now. */
  readonly now?: () => number;
}

/** A name is asked again at the earliest and at the latest after so long, whatever its time to live. */
export const leastTtlMs = 5_000;
export const mostTtlMs = 300_000;
/** For so long a name that does not resolve any more keeps its last addresses. */
export const keepMs = 600_000;
/** A name that nobody has asked for is forgotten. */
const unusedMs = 60_000;
const mostNames = 10_000;
const mostAddresses = 16;
const atOnce = 64;
/** A name server that has said nothing for so long is waited for without holding up other names. */
const silentMs = 500;
/** Names without addresses, in one round: whose name servers are silent, or which are new. */
const mostUncertain = 4 * atOnce;
const lookMs = 500;

interface Entry {
  addresses: readonly string[];
  /** When it was last resolved; 0: never. */
  resolvedAt: number;
  dueAt: number;
  askedAt: number;
  /** It is being resolved. */
  resolving: boolean;
  /** The last attempt failed. */
  failed: boolean;
}

const kept = z.record(
  z.string().max(253),
  z.object({ addresses: z.array(z.string().max(45)).max(mostAddresses), resolvedAt: z.number() }),
);

export class MemberNames {
  readonly #options: MemberNamesOptions;
  readonly #now: () => number;
  readonly #entries = new Map<string, Entry>();
  readonly #loop: Loop;
  /** Addresses changed since they were last kept. */
  #changed = false;

  private constructor(options: MemberNamesOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#loop = new Loop({
      name: 'names of members',
      log: options.log,
      pauseMs: () => lookMs,
      run: async () => {
        await this.resolveDue();
        return false;
      },
    });
  }

  static async open(options: MemberNamesOptions): Promise<MemberNames> {
    const names = new MemberNames(options);
    const text = await readFile(options.path, 'utf8').catch(() => '{}');
    const read = kept.safeParse(jsonIn(text));
    for (const [name, { addresses, resolvedAt }] of Object.entries(read.data ?? {}))
      names.#entries.set(name, { ...unresolved(names.#now()), addresses, resolvedAt });
    return names;
  }

  start(): void {
    this.#loop.start();
  }

  async stop(): Promise<void> {
    await this.#loop.stop();
  }

  /** At which this port may be dialled now, the same order everywhere. A name that is new is resolved soon: empty until then. */
  addressesOf(name: string, port: number): readonly string[] {
    const key = name.toLowerCase();
    const now = this.#now();
    let entry = this.#entries.get(key);
    if (entry === undefined) {
      if (this.#entries.size >= mostNames) return [];
      entry = unresolved(now);
      this.#entries.set(key, entry);
      this.#loop.trigger();
    }
    entry.askedAt = now;
    if (now - entry.resolvedAt > keepMs + mostTtlMs) return [];
    return entry.addresses.filter((address) => this.#options.egress.denial(address, port) === undefined);
  }

  /** Resolves the names whose time has come. */
  async resolveDue(): Promise<void> {
    const now = this.#now();
    for (const [name, { askedAt }] of this.#entries) if (now - askedAt > unusedMs) this.#entries.delete(name);
    const due = [...this.#entries].filter(([, { dueAt, resolving }]) => dueAt <= now && !resolving);
    const isCertain = ([, { resolvedAt, failed }]: (typeof due)[number]) => resolvedAt > 0 && !failed;
    // Names that have answered come first: somebody's many silent ones are nobody else's loss.
    const uncertain = due.filter((each) => !isCertain(each));
    uncertain.sort(([, one], [, other]) => Number(one.failed) - Number(other.failed) || one.dueAt - other.dueAt);
    const queue = [...due.filter(isCertain), ...uncertain.slice(0, mostUncertain)].values();
    const lane = async () => {
      for (const [name, entry] of queue) await atMost(silentMs, this.#resolve(name, entry));
    };
    await Promise.all(Array.from({ length: atOnce }, lane));
    if (this.#changed) await this.#keep();
  }

  async #resolve(name: string, entry: Entry): Promise<void> {
    const before = entry.addresses;
    entry.resolving = true;
    try {
      const found = (await this.#options.resolve(name)).filter(({ address }) => isIP(address) !== 0);
      if (found.length === 0) throw new Error('it has no address');
      const ttlMs = Math.min(...found.map(({ ttlSeconds }) => ttlSeconds)) * 1_000;
      const now = this.#now();
      entry.addresses = [...new Set(found.map(({ address }) => address))].sort().slice(0, mostAddresses);
      entry.resolvedAt = now;
      entry.dueAt = now + Math.min(Math.max(ttlMs, leastTtlMs), mostTtlMs);
      entry.failed = false;
    } catch (error) {
      const now = this.#now();
      entry.dueAt = now + leastTtlMs;
      entry.failed = true;
      if (now - entry.resolvedAt > keepMs) entry.addresses = [];
      this.#options.log.debug({ err: error, name }, 'the name of a member does not resolve');
    }
    entry.resolving = false;
    this.#changed ||= before.join() !== entry.addresses.join();
  }

  async #keep(): Promise<void> {
    const { path } = this.#options;
    this.#changed = false;
    const known = [...this.#entries].map(([name, { addresses, resolvedAt }]) => [name, { addresses, resolvedAt }]);
    await writeFile(`${path}.new`, JSON.stringify(Object.fromEntries(known)), { mode: 0o600 });
    await rename(`${path}.new`, path);
  }
}

function unresolved(now: number): Entry {
  return { addresses: [], resolvedAt: 0, dueAt: 0, askedAt: now, resolving: false, failed: false };
}
