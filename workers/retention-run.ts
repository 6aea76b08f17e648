// A run of retention: all steps, one after the other, with what they did in the log and in the metrics.
import { Counter, Gauge, type Registry } from 'prom-client';
import type { Logger } from '../platform/log/log.ts';
import { runRetention } from '../platform/owed/retention.ts';
import type { RetentionStep } from '../platform/owed/retention-step.ts';

interface RetentionRunOptions {
  readonly log: Logger;
  readonly registry: Registry;
  readonly steps: readonly RetentionStep[];
}

/** Returns whether rows are left that were due. */
export type RunRetention = (signal: AbortSignal) => Promise<{ readonly more: boolean }>;

export function createRetentionRun({ log, registry, steps }: RetentionRunOptions): RunRetention {
  const registers = [registry];
  const deletedRows = new Counter({
    name: 'tidegate_retention_deleted_rows_total',
    help: 'Rows that this process deleted because their retention period is over, by kind.',
    labelNames: ['kind'],
    registers,
  });
  const dueRows = new Gauge({
    name: 'tidegate_retention_due_rows',
    help: 'Rows whose retention period is over and that the last run of this process left, by kind; counted up to 100,000.',
    labelNames: ['kind'],
    registers,
  });
  const lastRun = new Gauge({
    name: 'tidegate_retention_last_run_seconds',
    help: 'When this process last finished a run of retention, in seconds since 1970. 0: not yet.',
    registers,
  });
  return async (signal) => {
    const done = await runRetention(steps, signal);
    for (const { name, overdue } of steps) {
      const { rows = 0, more = false } = done[name] ?? {};
      deletedRows.inc({ kind: name }, rows);
      dueRows.set({ kind: name }, more ? ((await overdue?.()) ?? 1) : 0);
    }
    lastRun.setToCurrentTime();
    const some = Object.entries(done).filter(([, { rows }]) => rows > 0);
    const more = Object.values(done).some((each) => each.more);
    log.info({ deleted: Object.fromEntries(some.map(([name, { rows }]) => [name, rows])), more }, 'retention');
    return { more };
  };
}
