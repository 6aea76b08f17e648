// Deletes sessions a week after they expired.
import type { Database } from '../../../../platform/database/database.ts';
import { oldRowsStep } from '../../../../platform/owed/old-rows.ts';
import type { RetentionStep } from '../../../../platform/owed/retention-step.ts';

const keptMs = 7 * 86_400_000;

export function sessionRetention(db: Database): RetentionStep {
  return oldRowsStep(db, { name: 'sessions', table: 'session', column: 'expires_at', keptMs });
}
