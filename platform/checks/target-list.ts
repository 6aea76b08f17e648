// The targets of the held shards: listed when a shard is gained, followed by changes afterwards, and listed again periodically in
// case a change was missed.
import type { CheckTarget, CheckTargets } from './check-tenant.ts';
import { shardOf } from './shards.ts';

interface TargetListOptions {
  readonly source: CheckTargets;
  readonly shardCount: number;
  /** The held shards with their leases. If a shard's lease has changed, the shard was not held all the time. */
  readonly heldShards: () => ReadonlyMap<number, unknown>;
  /** How long a list is trusted. */
  readonly relistMs: number;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  readonly keep: (target: CheckTarget, shard: number) => void;
  readonly forget: (id: string) => void;
}

export class TargetList {
  readonly #options: TargetListOptions;
  /** Ids of the listed targets, by shard. */
  readonly #listed = new Map<number, Set<string>>();
  /** The leases under which they were listed. */
  #leases: ReadonlyMap<number, unknown> = new Map();
  #cursor: string | undefined;
  #listedAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: TargetListOptions) {
    this.#options = options;
  }

  /** Updates the targets; true when any were added or removed. */
  async refresh(): Promise<boolean> {
    const { heldShards, relistMs, now } = this.#options;
    const leases = heldShards();
    const held = new Set(leases.keys());
    let moved = false;
    for (const [shard, ids] of this.#listed) {
      // Observations from a time when the shard was not held are not recorded, so its targets are checked again.
      if (held.has(shard) && leases.get(shard) === this.#leases.get(shard)) continue;
      this.#listed.delete(shard);
      for (const id of ids) this.#options.forget(id);
      moved = true;
    }
    this.#leases = leases;
    if (held.size === 0) return moved;
    if (now() - this.#listedAtMs >= relistMs) this.#cursor = undefined;
    if (this.#cursor !== undefined) moved = (await this.#follow(this.#cursor)) || moved;
    // No cursor: list all shards; else only those gained since.
    const fresh = this.#cursor === undefined ? held : new Set([...held].filter((shard) => !this.#listed.has(shard)));
    if (fresh.size > 0) moved = (await this.#list(fresh)) || moved;
    return moved;
  }

  async #follow(cursor: string): Promise<boolean> {
    const changes = await this.#options.source.changesAfter(cursor);
    this.#cursor = changes?.cursor;
    if (changes === undefined) return false;
    let moved = false;
    for (const target of changes.targets) moved = this.#keep(target) || moved;
    for (const id of changes.gone) {
      moved = (this.#listed.get(shardOf(id, this.#options.shardCount))?.delete(id) ?? false) || moved;
      this.#options.forget(id);
    }
    return moved;
  }

  async #list(wanted: ReadonlySet<number>): Promise<boolean> {
    const { source, shardCount, now } = this.#options;
    const { targets, cursor } = await source.listTargets({ count: shardCount, wanted });
    // Several lists with one cursor: the oldest cursor misses no change of any.
    if (this.#cursor === undefined) {
      this.#cursor = cursor;
      this.#listedAtMs = now();
    }
    const before = new Map([...wanted].map((shard) => [shard, this.#listed.get(shard) ?? new Set<string>()]));
    for (const shard of wanted) this.#listed.set(shard, new Set());
    for (const target of targets) this.#keep(target);
    for (const [shard, ids] of before)
      for (const id of ids) if (!this.#listed.get(shard)?.has(id)) this.#options.forget(id);
    return true;
  }

  #keep(target: CheckTarget): boolean {
    const shard = shardOf(target.id, this.#options.shardCount);
    const ids = this.#listed.get(shard);
    if (ids === undefined) return false;
    const known = ids.has(target.id);
    ids.add(target.id);
    this.#options.keep(target, shard);
    return !known;
  }
}
