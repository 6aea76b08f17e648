// Deletes old messages and alerts that were resolved long ago.
import type { Database } from '../../../../platform/database/database.ts';
import { oldRowsStep } from '../../../../platform/owed/old-rows.ts';
import type { RetentionStep } from '../../../../platform/owed/retention-step.ts';

const dayMs = 86_400_000;

export function alertRetention(db: Database): readonly RetentionStep[] {
  return [
    { name: 'messages of alerts', table: 'alert_notification', column: 'created_at', keptMs: 7 * dayMs },
    { name: 'resolved alerts', table: 'alert', column: 'resolved_at', keptMs: 30 * dayMs },
  ].map((rows) => oldRowsStep(db, rows));
}
