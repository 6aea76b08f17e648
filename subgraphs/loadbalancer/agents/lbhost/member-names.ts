// Resolves host names of members. HAProxy resolves names only when it starts, and silently accepts a server whose name does not resolve. So
// names are resolved here, again after their time to live. Each address must pass the egress policy, and must not be in a network of the
// host's nodes: what the control plane refuses as an address is refused under a name too.
import { readFile, rename, writeFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { z } from 'zod';
import type { Logger } from '../../../../platform/log/log.ts';
import { isInBlock, withoutMapping } from '../../../../platform/net/address-block.ts';
import type { EgressPolicy } from '../../../../platform/net/egress.ts';
import type { ResolveName } from '../../../../platform/net/resolve-name.ts';
import { jsonIn } from '../../../../platform/values/json.ts';
import { Loop } from '../../../../platform/work/loop.ts';
import { atMost } from '../../../../platform/work/within.ts';

interface MemberNamesOptions {
  /** File with known addresses: a host that restarts without its name server can keep serving. */
  readonly path: string;
  readonly egress: EgressPolicy;
  /** Ranges of the host: there nodes answer health checks and give figures, and the host itself has an address. */
  readonly ranges: readonly string[];
  readonly resolve: ResolveName;
  readonly log: Logger;
  /** Milliseconds since 1970, unaffected by clock steps. Default: the clock at the process's start plus the time since. */
  readonly now?: () => number;
}

/** Addresses of a member's host name at which this port may be dialled. `project`: whose member it is. */
export type AddressesOf = (hostName: string, port: number, project: string) => readonly string[];

/** Bounds for the time until a name is resolved again, whatever its time to live. */
export const leastTtlMs = 5_000;
export const mostTtlMs = 300_000;
/** How long a name that no longer resolves keeps its last addresses. */
export const keepMs = 600_000;
/** A name that nobody has requested for this long is forgotten. */
const unusedMs = 60_000;
const mostNames = 10_000;
/** Most of them for one project, so that others still find a place. A name that several projects use counts for each. */
export const mostNamesOfProject = mostNames / 4;
const mostAddresses = 16;
const atOnce = 64;
/** A name server that is silent for this long is awaited without holding up other names. */
const silentMs = 500;
/** Most names without addresses in one round: new ones and those with silent name servers. */
const mostUncertain = 4 * atOnce;
const lookMs = 500;

interface Entry {
  addresses: readonly string[];
  /** Time of the last resolution. 0 if never. */
  resolvedAt: number;
  dueAt: number;
  askedAt: number;
  /** When each project last requested it. */
  readonly askedBy: Map<string, number>;
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
  /** Numbers of names, by project. */
  readonly #counts = new Map<string, number>();
  /** Projects that got no place for a name, until they have fewer. */
  readonly #full = new Set<string>();
  /** Addresses changed since they were last saved. */
  #changed = false;

  private constructor(options: MemberNamesOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.timeOrigin + performance.now());
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

  /**
   * Addresses at which this port may be dialled now, in the same order on all hosts. A new name is resolved soon, and is empty until then.
   * `project`: whose member it is. Beyond a project's share of names its further ones stay empty.
   */
  addressesOf(name: string, port: number, project: string): readonly string[] {
    const key = name.toLowerCase();
    const now = this.#now();
    let entry = this.#entries.get(key);
    if (entry?.askedBy.has(project) !== true && !this.#hasPlaceFor(project)) return [];
    if (entry === undefined) {
      if (this.#entries.size >= mostNames) return [];
      entry = unresolved(now);
      this.#entries.set(key, entry);
      this.#loop.trigger();
    }
    if (!entry.askedBy.has(project)) this.#counts.set(project, this.#countOf(project) + 1);
    entry.askedBy.set(project, now);
    entry.askedAt = now;
    if (now - entry.resolvedAt > keepMs + mostTtlMs) return [];
    return entry.addresses.filter((address) => this.#mayBeDialled(address, port));
  }

  #countOf(project: string): number {
    return this.#counts.get(project) ?? 0;
  }

  #hasPlaceFor(project: string): boolean {
    if (this.#countOf(project) < mostNamesOfProject) return true;
    if (!this.#full.has(project))
      this.#options.log.warn(
        { project, most: mostNamesOfProject },
        'a project has more names of members than a host resolves for one project: the others have no servers',
      );
    this.#full.add(project);
    return false;
  }

  /** Forgets names that nobody, and that a project, no longer requests. */
  #forgetUnused(now: number): void {
    for (const [name, { askedAt, askedBy }] of this.#entries) {
      for (const [project, at] of askedBy) if (now - at > unusedMs) this.#release(project, askedBy);
      if (now - askedAt > unusedMs) this.#entries.delete(name);
    }
  }

  #release(project: string, askedBy: Map<string, number>): void {
    askedBy.delete(project);
    const left = this.#countOf(project) - 1;
    this.#full.delete(project);
    if (left > 0) this.#counts.set(project, left);
    else this.#counts.delete(project);
  }

  #mayBeDialled(address: string, port: number): boolean {
    const { egress, ranges } = this.#options;
    const plain = withoutMapping(address);
    return !ranges.some((block) => isInBlock(plain, block)) && egress.denial(address, port) === undefined;
  }

  /** Resolves names that are due. */
  async resolveDue(): Promise<void> {
    const now = this.#now();
    this.#forgetUnused(now);
    const due = [...this.#entries].filter(([, { dueAt, resolving }]) => dueAt <= now && !resolving);
    const isCertain = ([, { resolvedAt, failed }]: (typeof due)[number]) => resolvedAt > 0 && !failed;
    // Names that have answered come first: many silent names of one user must not delay those of others.
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
      this.#options.log.debug({ err: error, name }, "a member's name does not resolve");
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
  return { addresses: [], resolvedAt: 0, dueAt: 0, askedAt: now, askedBy: new Map(), resolving: false, failed: false };
}
