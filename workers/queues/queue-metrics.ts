// Prometheus metrics of the queues.
import { Counter, type Registry } from 'prom-client';

export interface QueueMetrics {
  ended(queue: string, outcome: 'done' | 'failed' | 'lost', durationMs: number): void;
  dispatched(jobs: number): void;
}

export function createQueueMetrics(registry: Registry): QueueMetrics {
  const registers = [registry];
  const jobs = new Counter({
    name: 'tidegate_jobs_total',
    help: 'Jobs of owed work that ended: done, failed (due again), lost (rolled back).',
    labelNames: ['queue', 'outcome'],
    registers,
  });
  const seconds = new Counter({
    name: 'tidegate_jobs_seconds_total',
    help: 'Time that jobs took.',
    labelNames: ['queue'],
    registers,
  });
  const dispatched = new Counter({
    name: 'tidegate_jobs_dispatched_total',
    help: 'Due rows handed to Redis; the same row may be handed over again.',
    registers,
  });
  return {
    ended(queue, outcome, durationMs) {
      jobs.inc({ queue, outcome });
      seconds.inc({ queue }, durationMs / 1000);
    },
    dispatched: (count) => dispatched.inc(count),
  };
}
