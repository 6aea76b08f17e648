// The check engine of one tenant in one worker: its shards, a timer wheel over their targets, slots, and protection against wrong
// results while the checker is starved. A job or a timer for each check would cost more than the check itself.

import type { Logger } from '../log/log.ts';
import type { EgressPolicy } from '../net/egress.ts';
import { Loop } from '../work/loop.ts';
import type { Wake } from '../work/wake.ts';
import type { CheckMetrics } from './check-metrics.ts';
import { CheckRun, type Entry } from './check-run.ts';
import type { CheckLeases, CheckObservation, CheckTarget, CheckTenant } from './check-tenant.ts';
import { FallRise } from './fall-rise.ts';
import { Lateness } from './lateness.ts';
import { type CheckReading, isDown, ProbeTable } from './probe.ts';
import { ResultRecorder } from './result-recorder.ts';
import type { SelfCheck } from './self-check.ts';
import { ShardHolder } from './shard-holder.ts';
import { Slots } from './slots.ts';
import type { StarvationGuard } from './starvation-guard.ts';
import { TargetList } from './target-list.ts';
import { TimerWheel } from './timer-wheel.ts';

interface CheckEngineOptions<Detail> {
  readonly tenant: CheckTenant<Detail>;
  readonly leases: CheckLeases;
  /** Uuid of the process incarnation. */
  readonly owner: string;
  readonly log: Logger;
  readonly guard: Pick<StarvationGuard, 'starvedSince'>;
  readonly selfCheck: Pick<SelfCheck, 'passes'>;
  readonly metrics: CheckMetrics;
  /** Without it, the engine looks for shards at its interval only. */
  readonly wake?: Wake;
  /** For every check. */
  readonly egress: EgressPolicy;
  /** Slots for checks that get no answer; default: four times the tenant's slots. */
  readonly silentSlots?: number;
  /** A check without an answer after this time frees its slot for others, and is a doubt. Default 250. */
  readonly silentAfterMs?: number;
  /** Used for targets that don't set their own value. Default 1000. */
  readonly confirmMs?: number;
  /** How often changed targets are queried. Default 2000. */
  readonly refreshMs?: number;
  /** How often all targets are listed. Default five minutes. */
  readonly relistMs?: number;
  /** How often the engine looks for shards. Default 500. */
  readonly balanceMs?: number;
  /** How often samples are recorded; a change of status is recorded at once. Default 1000. */
  readonly recordMs?: number;
  readonly random?: () => number;
}

type Outcome = 'UP' | 'DOWN' | 'INCONCLUSIVE';

/** The longest delays of checks in the last seconds, from when they were due to when they began; waiting ones count too. */
interface CheckDelays {
  readonly targets: number;
  /** Of targets that are up. */
  readonly upMs: number;
  readonly othersMs: number;
}

const tickMs = 10;
const wheelSlots = 4096;
/** An engine with more targets has one due soon, and does not search for the first one. */
const mostToSleep = 64;
const longestSleepMs = 5_000;
/** How long a worker that reaches nothing leaves its shards to others. */
const abstainMs = 10_000;

export class CheckEngine<Detail> {
  readonly #options: CheckEngineOptions<Detail>;
  readonly #samplesPerSecond: number;
  readonly #silentAfterMs: number;
  readonly #probes: ProbeTable;
  readonly #entries = new Map<string, Entry>();
  readonly #wheel: TimerWheel;
  readonly #slots: Slots;
  readonly #holder: ShardHolder;
  readonly #recorder: ResultRecorder<Detail>;
  readonly #targets: TargetList;
  readonly #refresh: Loop;
  readonly #late = { up: new Lateness(), others: new Lateness() };
  #ticker: NodeJS.Timeout | undefined;
  /** Set in place of the ticker until the first check is due. */
  #sleeper: NodeJS.Timeout | undefined;
  #unfollow: (() => void) | undefined;
  #tickedMs = 0;
  /** Checks without an answer so far, where this process may have been too starved to read the answer. */
  readonly #unheard = new Set<CheckRun>();
  /** Targets with a failed check since the last success of any target. Undefined if no check has succeeded yet. */
  #failedSince: Set<string> | undefined;

  constructor(options: CheckEngineOptions<Detail>) {
    this.#options = options;
    const { tenant, log } = options;
    const { shardCount = 8, slots = 1024, samplesPerSecond = 50 } = tenant;
    this.#samplesPerSecond = samplesPerSecond;
    this.#silentAfterMs = options.silentAfterMs ?? 250;
    this.#probes = new ProbeTable(tenant.probes);
    this.#wheel = new TimerWheel({ tickMs, slots: wheelSlots, nowMs: performance.now() });
    this.#slots = new Slots({
      slots,
      silentSlots: options.silentSlots ?? slots * 4,
      silentAfterMs: this.#silentAfterMs,
      begin: (entry) => this.#begin(entry),
      fellSilent: (run) => this.#noteSilence(run),
    });
    this.#refresh = new Loop({
      name: `checks/${tenant.name}/targets`,
      pauseMs: () => options.refreshMs ?? 2_000,
      log,
      run: () => this.#followTargets(),
    });
    this.#holder = new ShardHolder({
      tenant: tenant.name,
      owner: options.owner,
      shardCount,
      leases: options.leases,
      log,
      everyMs: options.balanceMs ?? 500,
      wake: options.wake,
      onChange: () => this.#refresh.trigger(),
    });
    this.#targets = new TargetList({
      source: tenant,
      shardCount,
      heldShards: () => this.#holder.heldLeases(),
      relistMs: options.relistMs ?? 300_000,
      now: () => performance.now(),
      keep: (target, shard) => this.#keep(target, shard),
      forget: (id) => this.#forget(id),
    });
    this.#recorder = new ResultRecorder({
      tenant,
      log,
      leaseOf: (shard) => this.#holder.lease(shard),
      everyMs: options.recordMs ?? 1_000,
    });
  }

  start(): void {
    this.#unfollow ??= this.#options.tenant.onChange?.(() => this.#refresh.trigger());
    this.#holder.start();
    this.#refresh.start();
    this.#recorder.start();
    this.#tickOn();
  }

  /** Of the tenant. */
  get name(): string {
    return this.#options.tenant.name;
  }

  heldShards(): number[] {
    return this.#holder.heldShards();
  }

  delays(): CheckDelays {
    const now = performance.now();
    return {
      targets: this.#entries.size,
      upMs: this.#late.up.worstMs(now),
      othersMs: this.#late.others.worstMs(now),
    };
  }

  /** Cancels running checks (without a result), records pending observations, releases the shards. */
  async stop(): Promise<void> {
    clearInterval(this.#ticker);
    clearTimeout(this.#sleeper);
    this.#ticker = undefined;
    this.#sleeper = undefined;
    this.#unfollow?.();
    this.#unfollow = undefined;
    await this.#refresh.stop();
    this.#entries.clear();
    this.#unheard.clear();
    for (const run of this.#slots.clear()) run.cancel();
    await this.#options.tenant.retain?.(new Set());
    await this.#recorder.stop();
    await this.#holder.stop();
  }

  async #followTargets(): Promise<false> {
    const { tenant, metrics } = this.#options;
    const moved = await this.#targets.refresh();
    metrics.holding(tenant.name, this.#holder.heldShards().length, this.#entries.size);
    if (moved) await tenant.retain?.(new Set(this.#entries.keys()));
    return false;
  }

  #forget(id: string): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    this.#entries.delete(id);
    this.#failedSince?.delete(id);
    this.#wheel.delete(id);
    this.#slots.forget(entry);
  }

  #keep(target: CheckTarget, shard: number): void {
    const known = this.#entries.get(target.id);
    if (known !== undefined && sameCheck(known.target, target)) return;
    this.#forget(target.id);
    const faults = this.#probes.faults(target.probe, target.parameters);
    const probe = this.#probes.get(target.probe);
    if (faults.length > 0 || probe === undefined) {
      const { tenant, log } = this.#options;
      log.error({ tenant: tenant.name, target: target.id, faults }, "a target can't be checked");
      return;
    }
    const { random = Math.random } = this.#options;
    const { intervalMs, status, fall = 2, rise = 1 } = target;
    const now = performance.now();
    // A new or changed target is checked at once; the others start somewhere within their interval.
    const dueMs = now + (known !== undefined || status === 'UNKNOWN' ? 0 : random() * intervalMs);
    this.#entries.set(target.id, {
      ...{ target, probe, shard, dueMs },
      fallRise: new FallRise(status, { fall, rise }),
      phaseMs: now + random() * intervalMs,
      sampleMs: undefined,
      silent: false,
    });
    this.#wheel.set(target.id, dueMs);
    if (this.#sleeper !== undefined) this.#tickOn();
  }

  #tickOn(): void {
    clearTimeout(this.#sleeper);
    this.#sleeper = undefined;
    this.#tickedMs = performance.now();
    this.#ticker ??= setInterval(() => this.#tick(), tickMs);
  }

  /** While nothing runs, and until shortly before the first check is due. */
  #sleep(now: number): void {
    if (!this.#slots.isIdle || this.#unheard.size > 0 || this.#entries.size > mostToSleep) return;
    const firstMs = Math.min(...[...this.#entries.values()].map(({ dueMs }) => dueMs - now), longestSleepMs);
    const forMs = firstMs - 2 * tickMs;
    if (forMs <= 2 * tickMs) return;
    clearInterval(this.#ticker);
    this.#ticker = undefined;
    this.#sleeper = setTimeout(() => this.#tickOn(), forMs);
  }

  #tick(): void {
    const now = performance.now();
    this.#slots.turn(now - this.#tickedMs - tickMs);
    this.#tickedMs = now;
    for (const run of this.#slots.review(now)) {
      run.cancel();
      this.#ended(run, isDown(`no answer within ${run.timeoutMs} ms`), true);
    }
    for (const run of [...this.#unheard]) this.#noteSilence(run);
    for (const id of this.#wheel.turn(now)) {
      const entry = this.#entries.get(id);
      if (entry !== undefined) this.#slots.queue(entry);
    }
    this.#slots.fill();
    for (const which of ['up', 'others'] as const) {
      const dueMs = this.#slots.oldestDueMs(which);
      if (dueMs === undefined) continue;
      this.#late[which].note(now - dueMs, now);
      this.#options.metrics.waits(this.#options.tenant.name, which, now - dueMs);
    }
    this.#sleep(now);
  }

  #begin(entry: Entry): CheckRun {
    const { tenant, metrics, egress } = this.#options;
    const now = performance.now();
    const which = entry.fallRise.status === 'UP' ? 'up' : 'others';
    this.#late[which].note(now - entry.dueMs, now);
    metrics.began(tenant.name, which, now - entry.dueMs);
    const run = new CheckRun(entry, tenant.egress ?? egress, now);
    entry.probe.check(entry.target.parameters, run).then(
      (reading) => this.#ended(run, reading as CheckReading<Detail>, false),
      (error: unknown) => this.#threw(run, error),
    );
    return run;
  }

  #threw(run: CheckRun, error: unknown): void {
    if (!this.#end(run)) return;
    const { tenant, log } = this.#options;
    log.error({ err: error, tenant: tenant.name, target: run.targetId }, 'a check threw, which is not a result');
    this.#conclude(run, undefined, 'INCONCLUSIVE', performance.now());
    this.#slots.fill();
  }

  /** Returns false if the run had already ended. */
  #end(run: CheckRun): boolean {
    this.#unheard.delete(run);
    return this.#slots.end(run);
  }

  #ended(run: CheckRun, reading: CheckReading<Detail>, silent: boolean): void {
    if (!this.#end(run)) return;
    const endedMs = performance.now();
    run.entry.silent = silent;
    if (reading.denied === true) this.#conclude(run, undefined, 'INCONCLUSIVE', endedMs);
    else if (reading.up) this.#conclude(run, reading, 'UP', endedMs);
    else void this.#doubt(run, reading, endedMs);
    this.#slots.fill();
  }

  /**
   * Records a doubt about a target that has not answered for some time. The judge of another failing target then knows that both
   * may be down, and need not wait until this check fails. If this process was starved, it waits the same time once more.
   */
  #noteSilence(run: CheckRun): void {
    const { entry, startedMs } = run;
    const { tenant, guard } = this.#options;
    const { status, tendency } = entry.fallRise;
    this.#unheard.delete(run);
    // A new target that has succeeded once may be in use, though its status is not UP yet.
    const isFine = status === 'UP' ? tendency === undefined : status === 'UNKNOWN' && tendency === 'UP';
    if (tenant.notesDoubts !== true || !isFine) return;
    if (guard.starvedSince(Math.max(startedMs, performance.now() - this.#silentAfterMs))) {
      this.#unheard.add(run);
      return;
    }
    entry.doubted = true;
    const seen = { targetId: entry.target.id, outcome: 'DOWN', message: 'no answer yet', detail: null } as const;
    const observation = { ...seen, status, statusBefore: status, ...this.#timesOf(startedMs, performance.now()) };
    this.#recorder.add(observation, entry.shard, { soon: true });
  }

  #timesOf(startedMs: number, nowMs: number): Pick<CheckObservation, 'at' | 'latencyMs' | 'lateMs'> {
    const lateMs = Math.round(this.#late.up.worstMs(nowMs));
    return { at: new Date(), latencyMs: Math.round(nowMs - startedMs), lateMs };
  }

  /** Whether a failure is the target's, or only this process's. */
  async #doubt(run: CheckRun, reading: CheckReading<Detail>, endedMs: number): Promise<void> {
    const { guard } = this.#options;
    const { status, suspicious } = run.entry.fallRise;
    const starved = () => guard.starvedSince(run.startedMs);
    // A failure that is no news needs no check of this process.
    const isNews = status !== 'DOWN' || suspicious;
    const ill = starved() || (isNews && (!(await this.#isSound(run)) || starved()));
    if (ill) run.entry.silent = false;
    this.#conclude(run, reading, ill ? 'INCONCLUSIVE' : 'DOWN', endedMs);
  }

  /** Whether this worker can judge. If not, others may be able to. */
  async #isSound({ targetId }: CheckRun): Promise<boolean> {
    const { tenant, selfCheck, log } = this.#options;
    const passes = await selfCheck.passes();
    if (tenant.handsOver !== true) return passes;
    const failed = this.#failedSince?.add(targetId);
    const fails = ([id, { fallRise }]: [string, Entry]) => fallRise.status === 'DOWN' || failed?.has(id) === true;
    const cutOff = failed !== undefined && failed.size >= 2 && [...this.#entries].every(fails);
    if (passes && !cutOff) return true;
    if (!this.#holder.abstain(abstainMs)) return passes;
    log.warn({ tenant: tenant.name }, 'this worker reaches nothing: others take over its checks');
    // Should all others hand over as well, the failures are real.
    this.#failedSince = undefined;
    return false;
  }

  #conclude(run: CheckRun, reading: CheckReading<Detail> | undefined, outcome: Outcome, endedMs: number): void {
    const { entry, startedMs } = run;
    const { target, fallRise, shard } = entry;
    // Removed, changed, or taken over by another worker in the meantime.
    if (this.#entries.get(target.id) !== entry) return;
    const latencyMs = endedMs - startedMs;
    if (outcome === 'UP') this.#failedSince = new Set();
    this.#options.metrics.checked(this.#options.tenant.name, outcome, latencyMs);
    const { status: statusBefore, tendency } = fallRise;
    const status = fallRise.count(outcome);
    if (reading !== undefined && outcome !== 'INCONCLUSIVE') {
      const sampled = this.#isSampled(entry, endedMs);
      const isDoubt = this.#options.tenant.notesDoubts === true && fallRise.tendency !== tendency;
      const endsDoubt = entry.doubted === true && outcome === 'UP';
      if (endsDoubt) entry.doubted = false;
      const notable = isDoubt || endsDoubt || reading.notable === true;
      if (sampled || status !== statusBefore || notable) {
        const { message, detail } = reading;
        const seen = { targetId: target.id, outcome, message, detail, status, statusBefore };
        this.#recorder.add({ ...seen, ...this.#timesOf(startedMs, endedMs) }, shard, { soon: notable });
      }
    }
    entry.dueMs = this.#nextMs(entry, outcome, startedMs);
    this.#wheel.set(target.id, entry.dueMs);
  }

  /** Spread evenly: each target has its turn once per cycle. */
  #isSampled(entry: Entry, nowMs: number): boolean {
    const { random = Math.random } = this.#options;
    const everyMs = (this.#entries.size * 1000) / this.#samplesPerSecond;
    entry.sampleMs ??= nowMs + random() * everyMs;
    if (nowMs < entry.sampleMs) return false;
    entry.sampleMs = nowMs + everyMs;
    return true;
  }

  #nextMs({ target, phaseMs, fallRise }: Entry, outcome: Outcome, startedMs: number): number {
    const now = performance.now();
    const { intervalMs, confirmMs = this.#options.confirmMs ?? 1_000 } = target;
    const soonMs = Math.min(intervalMs, confirmMs);
    // Not for targets that are already down: a starved process must not add work for itself.
    if (outcome === 'INCONCLUSIVE' && fallRise.status !== 'DOWN') return now + soonMs;
    // From the start of the check, which may have lasted for its whole timeout.
    if (fallRise.suspicious) return Math.max(now, startedMs + soonMs);
    const intervals = Math.floor((now - phaseMs) / intervalMs) + 1;
    return phaseMs + intervals * intervalMs;
  }
}

const decisive = ['revision', 'probe', 'intervalMs', 'timeoutMs', 'fall', 'rise', 'confirmMs'] as const;

function sameCheck(a: CheckTarget, b: CheckTarget): boolean {
  return decisive.every((field) => a[field] === b[field]);
}
