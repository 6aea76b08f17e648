// Prometheus metrics of the check engine.
import { Counter, Gauge, type Registry } from 'prom-client';

/** `up`: targets that are up. `others`: targets that are down or unknown. */
export type CheckedTargets = 'up' | 'others';

export interface CheckMetrics {
  /** A check began this long after it was due. */
  began(tenant: string, of: CheckedTargets, lateMs: number): void;
  /** A check has been due for this long, and waits. */
  waits(tenant: string, of: CheckedTargets, lateMs: number): void;
  checked(tenant: string, outcome: 'UP' | 'DOWN' | 'INCONCLUSIVE', durationMs: number): void;
  holding(tenant: string, shards: number, targets: number): void;
  lag(lagMs: number): void;
}

interface Sums {
  UP: number;
  DOWN: number;
  INCONCLUSIVE: number;
  durationMs: number;
  readonly worstLateMs: { up: number; others: number };
}

/** Checks are counted here and exported at each scrape: incrementing a labelled counter would cost more than the engine does. */
export function createCheckMetrics(registry: Registry): CheckMetrics {
  const registers = [registry];
  const sums = new Map<string, Sums>();
  const sumsOf = (tenant: string): Sums => {
    let known = sums.get(tenant);
    if (known === undefined) {
      known = { UP: 0, DOWN: 0, INCONCLUSIVE: 0, durationMs: 0, worstLateMs: { up: 0, others: 0 } };
      sums.set(tenant, known);
    }
    return known;
  };
  const late = (tenant: string, of: CheckedTargets, lateMs: number) => {
    const worst = sumsOf(tenant).worstLateMs;
    if (lateMs > worst[of]) worst[of] = lateMs;
  };
  new Counter({
    name: 'tidegate_checks_total',
    help: 'Health checks that ended, by outcome.',
    labelNames: ['tenant', 'outcome'],
    registers,
    collect() {
      this.reset();
      for (const [tenant, each] of sums)
        for (const outcome of ['UP', 'DOWN', 'INCONCLUSIVE'] as const)
          if (each[outcome] > 0) this.inc({ tenant, outcome }, each[outcome]);
    },
  });
  new Counter({
    name: 'tidegate_checks_seconds_total',
    help: 'Time that health checks took.',
    labelNames: ['tenant'],
    registers,
    collect() {
      this.reset();
      for (const [tenant, each] of sums) this.inc({ tenant }, each.durationMs / 1000);
    },
  });
  new Gauge({
    name: 'tidegate_check_late_seconds',
    help: 'Longest delay of a check since the last scrape, from when it was due to when it began, of targets that are up and of others.',
    labelNames: ['tenant', 'targets'],
    registers,
    collect() {
      for (const [tenant, each] of sums) {
        for (const targets of ['up', 'others'] as const) {
          this.set({ tenant, targets }, each.worstLateMs[targets] / 1000);
          each.worstLateMs[targets] = 0;
        }
      }
    },
  });
  const shards = new Gauge({
    name: 'tidegate_check_shards',
    help: 'Shards this worker holds.',
    labelNames: ['tenant'],
    registers,
  });
  const targets = new Gauge({
    name: 'tidegate_check_targets',
    help: 'Targets in the shards this worker holds.',
    labelNames: ['tenant'],
    registers,
  });
  const lag = new Gauge({
    name: 'tidegate_check_loop_lag_seconds',
    help: 'Worst lag of the event loop in the last seconds; past the bound, failures are inconclusive.',
    registers,
  });
  return {
    began: late,
    waits: late,
    checked(tenant, outcome, durationMs) {
      const each = sumsOf(tenant);
      each[outcome] += 1;
      each.durationMs += durationMs;
    },
    holding(tenant, shardCount, targetCount) {
      shards.set({ tenant }, shardCount);
      targets.set({ tenant }, targetCount);
    },
    lag: (lagMs) => lag.set(lagMs / 1000),
  };
}
