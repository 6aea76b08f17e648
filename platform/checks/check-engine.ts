// The check engine of one tenant in one worker: its shards, a timer wheel over their targets, bounded concurrency, and
// verdicts that a starved checker can't spoil. A job or a timer for each check would cost more than the check itself.

import type { Leases } from '../leases.ts';
import type { Logger } from '../log.ts';
import { Loop } from '../loop.ts';
import type { CheckMetrics } from './check-metrics.ts';
import type { CheckReading, CheckTarget, CheckTenant } from './check-tenant.ts';
import { FallRise } from './fall-rise.ts';
import { ResultRecorder } from './result-recorder.ts';
import type { SelfCheck } from './self-check.ts';
import { ShardHolder } from './shard-holder.ts';
import { shardOf } from './shards.ts';
import type { StarvationGuard } from './starvation-guard.ts';
import { TimerWheel } from './timer-wheel.ts';

export interface CheckEngineOptions<Target extends CheckTarget, Detail> {
  readonly tenant: CheckTenant<Target, Detail>;
  readonly leases: Pick<Leases, 'acquire' | 'live'>;
  /** Uuid of the process incarnation. */
  readonly owner: string;
  readonly log: Logger;
  readonly guard: Pick<StarvationGuard, 'starvedSince'>;
  readonly selfCheck: Pick<SelfCheck, 'passes'>;
  readonly metrics: CheckMetrics;
  /** The same in all workers; about 1,000 targets a shard. Default 8. */
  readonly shardCount?: number;
  /** Checks at once. Default 256. */
  readonly concurrency?: number;
  /** Failures in a row that make DOWN, successes in a row that make UP. Default 2 and 1. */
  readonly fall?: number;
  readonly rise?: number;
  /** How soon a suspicious target is checked again, unless its interval is shorter. Default 1000. */
  readonly suspiciousIntervalMs?: number;
  /** How often targets are listed. Default 2000. */
  readonly refreshMs?: number;
  /** How often shards are looked for. Default 500. */
  readonly balanceMs?: number;
  /** How often results are recorded; a change of status is recorded at once. Default 500. */
  readonly recordMs?: number;
  readonly random?: () => number;
}

interface Entry<Target> {
  readonly target: Target;
  readonly fallRise: FallRise;
  /** Checks fall on phase + n × interval, so that load stays spread. */
  readonly phaseMs: number;
}

const wheelTickMs = 25;
const wheelSlots = 2048;

export class CheckEngine<Target extends CheckTarget, Detail> {
  readonly #options: CheckEngineOptions<Target, Detail>;
  readonly #shardCount: number;
  readonly #concurrency: number;
  readonly #entries = new Map<string, Entry<Target>>();
  readonly #wheel: TimerWheel;
  /** Due and waiting for a slot; each target at most once. */
  readonly #ready = new Set<string>();
  readonly #running = new Map<AbortController, Promise<void>>();
  readonly #holder: ShardHolder;
  readonly #recorder: ResultRecorder<Target, Detail>;
  readonly #refresh: Loop;
  #ticker: NodeJS.Timeout | undefined;

  constructor(options: CheckEngineOptions<Target, Detail>) {
    this.#options = options;
    this.#shardCount = options.shardCount ?? 8;
    this.#concurrency = options.concurrency ?? 256;
    this.#wheel = new TimerWheel({ tickMs: wheelTickMs, slots: wheelSlots, nowMs: performance.now() });
    const { tenant, log } = options;
    this.#refresh = new Loop({
      name: `checks/${tenant.name}/targets`,
      pauseMs: () => options.refreshMs ?? 2_000,
      log,
      run: () => this.#listTargets(),
    });
    this.#holder = new ShardHolder({
      tenant: tenant.name,
      owner: options.owner,
      shardCount: this.#shardCount,
      leases: options.leases,
      log,
      everyMs: options.balanceMs ?? 500,
      onChange: () => this.#refresh.trigger(),
    });
    this.#recorder = new ResultRecorder({
      tenant,
      log,
      shardOf: (targetId) => shardOf(targetId, this.#shardCount),
      leaseOf: (shard) => this.#holder.lease(shard),
      everyMs: options.recordMs ?? 500,
    });
  }

  start(): void {
    this.#holder.start();
    this.#refresh.start();
    this.#recorder.start();
    this.#ticker ??= setInterval(() => this.#tick(), wheelTickMs);
  }

  heldShards(): number[] {
    return this.#holder.heldShards();
  }

  /** Ends what runs (without a verdict), records what was seen, gives the shards back. */
  async stop(): Promise<void> {
    clearInterval(this.#ticker);
    this.#ticker = undefined;
    await this.#refresh.stop();
    this.#entries.clear();
    this.#ready.clear();
    for (const controller of this.#running.keys()) controller.abort();
    await Promise.all(this.#running.values());
    await this.#options.tenant.retain?.(new Set());
    await this.#recorder.stop();
    await this.#holder.stop();
  }

  async #listTargets(): Promise<false> {
    const held = new Set(this.#holder.heldShards());
    const targets = held.size === 0 ? [] : await this.#options.tenant.listTargets();
    const mine = new Map<string, Target>();
    for (const target of targets) if (held.has(shardOf(target.id, this.#shardCount))) mine.set(target.id, target);
    for (const id of this.#entries.keys()) if (!mine.has(id)) this.#forget(id);
    for (const target of mine.values()) this.#keep(target);
    this.#options.metrics.holding(this.#options.tenant.name, held.size, this.#entries.size);
    await this.#options.tenant.retain?.(new Set(mine.keys()));
    return false;
  }

  #forget(id: string): void {
    this.#entries.delete(id);
    this.#wheel.delete(id);
    this.#ready.delete(id);
  }

  #keep(target: Target): void {
    const known = this.#entries.get(target.id);
    if (known !== undefined && sameSchedule(known.target, target)) return;
    const { fall = 2, rise = 1, random = Math.random } = this.#options;
    const now = performance.now();
    // One that was never checked, or has changed, is checked at once; the rest begin somewhere in their interval.
    const delayMs = known !== undefined || target.status === 'UNKNOWN' ? 0 : random() * target.intervalMs;
    const phaseMs = now + random() * target.intervalMs;
    this.#entries.set(target.id, { target, fallRise: new FallRise(target.status, { fall, rise }), phaseMs });
    this.#ready.delete(target.id);
    this.#wheel.set(target.id, now + delayMs);
  }

  #tick(): void {
    for (const id of this.#wheel.turn(performance.now())) this.#ready.add(id);
    for (const id of this.#ready) {
      if (this.#running.size >= this.#concurrency) return;
      this.#ready.delete(id);
      const entry = this.#entries.get(id);
      if (entry === undefined) continue;
      const controller = new AbortController();
      this.#running.set(
        controller,
        this.#run(entry, controller).finally(() => this.#running.delete(controller)),
      );
    }
  }

  async #run(entry: Entry<Target>, controller: AbortController): Promise<void> {
    const { target, fallRise } = entry;
    const { tenant, metrics, log } = this.#options;
    const startedAt = performance.now();
    const reading = await this.#read(target, controller).catch((error: unknown) => {
      log.error({ err: error, tenant: tenant.name, target: target.id }, 'a check threw: it says nothing of its target');
      return undefined;
    });
    const endedAt = performance.now();
    const outcome = await this.#outcome(reading, startedAt);
    // Forgotten, changed, or taken by another worker meanwhile.
    if (this.#entries.get(target.id) !== entry) return;
    metrics.checked(tenant.name, outcome, endedAt - startedAt);
    const statusBefore = fallRise.status;
    const status = fallRise.count(outcome);
    if (reading !== undefined && outcome !== 'INCONCLUSIVE') {
      const { message, detail } = reading;
      const latencyMs = Math.round(endedAt - startedAt);
      this.#recorder.add({ target, outcome, message, detail, latencyMs, at: new Date(), status, statusBefore });
    }
    this.#wheel.set(target.id, this.#nextAt(entry, outcome));
  }

  /** The engine's own deadline stands behind the tenant's: a check that ignores its signal must not keep its slot. */
  async #read(target: Target, controller: AbortController): Promise<CheckReading<Detail>> {
    const { promise, resolve } = Promise.withResolvers<CheckReading<Detail>>();
    const silent = { up: false, message: `no answer within ${target.timeoutMs} ms`, detail: null };
    const timer = setTimeout(() => controller.abort(), target.timeoutMs);
    controller.signal.addEventListener('abort', () => resolve(silent), { once: true });
    try {
      return await Promise.race([this.#options.tenant.check(target, { signal: controller.signal }), promise]);
    } catch (error) {
      if (controller.signal.aborted) return silent;
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  async #outcome(
    reading: CheckReading<Detail> | undefined,
    startedAt: number,
  ): Promise<'UP' | 'DOWN' | 'INCONCLUSIVE'> {
    if (reading === undefined) return 'INCONCLUSIVE';
    if (reading.up) return 'UP';
    const { guard, selfCheck } = this.#options;
    if (guard.starvedSince(startedAt) || !(await selfCheck.passes())) return 'INCONCLUSIVE';
    return guard.starvedSince(startedAt) ? 'INCONCLUSIVE' : 'DOWN';
  }

  #nextAt(entry: Entry<Target>, outcome: 'UP' | 'DOWN' | 'INCONCLUSIVE'): number {
    const now = performance.now();
    const { intervalMs } = entry.target;
    if (outcome === 'INCONCLUSIVE' || entry.fallRise.suspicious) {
      return now + Math.min(intervalMs, this.#options.suspiciousIntervalMs ?? 1_000);
    }
    const intervals = Math.floor((now - entry.phaseMs) / intervalMs) + 1;
    return entry.phaseMs + intervals * intervalMs;
  }
}

function sameSchedule(a: CheckTarget, b: CheckTarget): boolean {
  return a.revision === b.revision && a.intervalMs === b.intervalMs && a.timeoutMs === b.timeoutMs;
}
