// What the check engine tells Prometheus.
import { Counter, Gauge, type Registry } from 'prom-client';

export interface CheckMetrics {
  checked(tenant: string, outcome: 'UP' | 'DOWN' | 'INCONCLUSIVE', durationMs: number): void;
  holding(tenant: string, shards: number, targets: number): void;
  lag(lagMs: number): void;
}

export function createCheckMetrics(registry: Registry): CheckMetrics {
  const registers = [registry];
  const checks = new Counter({
    name: 'tidegate_checks_total',
    help: 'Health checks that ended, by outcome.',
    labelNames: ['tenant', 'outcome'],
    registers,
  });
  const seconds = new Counter({
    name: 'tidegate_checks_seconds_total',
    help: 'Time that health checks took.',
    labelNames: ['tenant'],
    registers,
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
    checked(tenant, outcome, durationMs) {
      checks.inc({ tenant, outcome });
      seconds.inc({ tenant }, durationMs / 1000);
    },
    holding(tenant, shardCount, targetCount) {
      shards.set({ tenant }, shardCount);
      targets.set({ tenant }, targetCount);
    },
    lag: (lagMs) => lag.set(lagMs / 1000),
  };
}
