// Holds this worker's fair share of a tenant's shards: counts the live workers by their member leases, takes free shards,
// releases surplus ones. The lease of a shard is the fence for its results.

import type { HeldLease } from '../leases/leases.ts';
import type { Logger } from '../log/log.ts';
import { Loop } from '../work/loop.ts';
import type { Wake } from '../work/wake.ts';
import type { CheckLeases } from './check-tenant.ts';
import { planShards } from './shards.ts';

interface ShardHolderOptions {
  readonly tenant: string;
  /** Uuid of the process incarnation. */
  readonly owner: string;
  readonly shardCount: number;
  readonly leases: CheckLeases;
  readonly log: Logger;
  /** How often it looks for shards: with the lease's time to live, the bound of a takeover. */
  readonly everyMs: number;
  /** Tells workers of each other. With it, a worker that has its share looks when a lease of another one may end. */
  readonly wake?: Wake | undefined;
  /** A shard was gained or lost. */
  readonly onChange: () => void;
}

export class ShardHolder {
  readonly #options: ShardHolderOptions;
  readonly #prefix: string;
  readonly #held = new Map<number, HeldLease>();
  readonly #loop: Loop;
  #member: HeldLease | undefined;
  #others = 0;
  #abstainUntilMs = 0;
  /** Until a lease of another worker may end. 0 while this worker's share is not settled. */
  #settledForMs = 0;
  #unlisten: (() => void) | undefined;

  constructor(options: ShardHolderOptions) {
    this.#options = options;
    this.#prefix = `checks/${options.tenant}/`;
    this.#loop = new Loop({
      name: `${this.#prefix}shards`,
      pauseMs: () => Math.max(options.everyMs, options.wake?.isLive === true ? this.#settledForMs : 0),
      log: options.log,
      run: (signal) => this.#balance(signal),
    });
  }

  start(): void {
    this.#unlisten ??= this.#options.wake?.on(this.#topic, () => this.#loop.trigger());
    this.#loop.start();
  }

  /** Of workers that come, go, or give a shard back. */
  get #topic(): string {
    return `${this.#prefix}shards`;
  }

  /** Gives all shards to the other workers for this time. Returns false if no other worker is known. */
  abstain(ms: number): boolean {
    if (this.#others === 0) return false;
    this.#abstainUntilMs = performance.now() + ms;
    this.#loop.trigger();
    return true;
  }

  /** Undefined when this worker does not hold the shard. */
  lease(shard: number): HeldLease | undefined {
    const lease = this.#held.get(shard);
    return lease === undefined || lease.signal.aborted ? undefined : lease;
  }

  heldShards(): number[] {
    return [...this.heldLeases().keys()];
  }

  /** By shard. */
  heldLeases(): ReadonlyMap<number, HeldLease> {
    return new Map([...this.#held].filter(([, lease]) => !lease.signal.aborted));
  }

  /** Releases everything, so that others take over at once. */
  async stop(): Promise<void> {
    this.#unlisten?.();
    await this.#loop.stop();
    await this.#releaseAll();
  }

  async #releaseAll(): Promise<void> {
    const leases = [...this.#held.values(), ...(this.#member === undefined ? [] : [this.#member])];
    this.#held.clear();
    this.#member = undefined;
    await Promise.allSettled(leases.map((lease) => lease.release()));
    if (leases.length > 0) this.#options.wake?.notify(this.#topic);
    this.#options.onChange();
  }

  async #balance(signal: AbortSignal): Promise<false> {
    const { leases, owner, shardCount, wake } = this.#options;
    this.#settledForMs = 0;
    if (performance.now() < this.#abstainUntilMs) {
      if (this.#member !== undefined || this.#held.size > 0) await this.#releaseAll();
      return false;
    }
    if (this.#member === undefined || this.#member.signal.aborted) {
      this.#member = await leases.acquire(`${this.#prefix}member/${owner}`);
      this.#member?.signal.addEventListener('abort', () => this.#loop.trigger(), { once: true });
      if (this.#member !== undefined) wake?.notify(this.#topic);
    }
    const live = await leases.live(this.#prefix);
    if (signal.aborted) return false;
    this.#dropLost();
    const members = live.filter((lease) => lease.name.startsWith(`${this.#prefix}member/`)).length;
    this.#others = Math.max(0, members - 1);
    const plan = planShards({
      shardCount,
      held: new Set(this.#held.keys()),
      heldByOthers: new Set(
        live.filter((lease) => lease.owner !== owner).map((lease) => shardOfLease(lease.name, this.#prefix)),
      ),
      workers: members,
      offset: Number.parseInt(owner.slice(-4), 16) % shardCount,
    });
    for (const shard of plan.release) await this.#giveBack(shard);
    for (const shard of plan.acquire) {
      if (signal.aborted) return false;
      await this.#take(shard);
    }
    const isSettled = plan.release.length + plan.acquire.length === 0 && this.#member !== undefined;
    this.#settledForMs = isSettled ? settledMs(live.filter((lease) => lease.owner !== owner)) : 0;
    return false;
  }

  async #take(shard: number): Promise<void> {
    const lease = await this.#options.leases.acquire(`${this.#prefix}shard/${shard}`);
    if (lease === undefined) return;
    this.#held.set(shard, lease);
    lease.signal.addEventListener('abort', () => this.#loop.trigger(), { once: true });
    this.#options.onChange();
  }

  async #giveBack(shard: number): Promise<void> {
    const lease = this.#held.get(shard);
    this.#held.delete(shard);
    this.#options.onChange();
    await lease?.release();
    this.#options.wake?.notify(this.#topic);
  }

  #dropLost(): void {
    const lost = [...this.#held].filter(([, lease]) => lease.signal.aborted);
    for (const [shard] of lost) this.#held.delete(shard);
    if (lost.length > 0) this.#options.onChange();
  }
}

/** A worker that comes without a wake-up waits at most this long for its share. */
const longestSettledMs = 3_000;

/** Until the first of these leases may end, and the time in which a database shows that it has. */
function settledMs(others: readonly { readonly leftMs?: number | undefined }[]): number {
  return others.reduce(
    (least, { leftMs }) => (leftMs === undefined ? 0 : Math.min(least, leftMs + 10)),
    longestSettledMs,
  );
}

function shardOfLease(name: string, prefix: string): number {
  const rest = name.slice(prefix.length);
  return rest.startsWith('shard/') ? Number(rest.slice('shard/'.length)) : -1;
}
