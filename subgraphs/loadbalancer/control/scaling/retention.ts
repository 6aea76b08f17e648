// Deletes old autoscaling decisions, those that changed nothing after a day, and old traffic.
import type { Database } from '../../../../platform/database/database.ts';
import { oldRowsStep } from '../../../../platform/owed/old-rows.ts';
import type { RetentionStep } from '../../../../platform/owed/retention-step.ts';
import { scalingActions } from '../../rules/scaling-policy.ts';

const dayMs = 86_400_000;
const trafficKeptMs = { MINUTE: 2 * dayMs, HOUR: 366 * dayMs } as const;

export function scalingRetention(
  db: Database,
  { changedMs }: { readonly changedMs: number },
): readonly RetentionStep[] {
  const decisions = scalingActions.map((action) => ({
    ...{ name: `autoscaling decisions (${action})`, table: 'lb_scaling_decision', given: { action }, column: 'at' },
    keptMs: action === 'KEEP' ? dayMs : changedMs,
  }));
  const traffic = Object.entries(trafficKeptMs).map(([period, keptMs]) => ({
    ...{ name: `traffic (${period})`, table: 'lb_traffic', key: 'subject_id', given: { period }, column: 'at', keptMs },
  }));
  return [...decisions, ...traffic].map((rows) => oldRowsStep(db, rows));
}
