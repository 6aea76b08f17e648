// Deletes old messages and alerts that were resolved long ago.
import type { Database } from '../../../../platform/database/database.ts';
import { trustedNow } from '../../../../platform/leases/trusted-clock.ts';
import { batchSize, deleteInBatches } from '../../../../platform/owed/batches.ts';
import type { RetentionStep } from '../../../../platform/process/subgraph-row.ts';

const dayMs = 86_400_000;
const deliveryMs = 7 * dayMs;
const alertMs = 30 * dayMs;

export function alertRetention(db: Database): readonly RetentionStep[] {
  const before = (column: string) => `${column} < ${trustedNow} - INTERVAL ? * 1000 MICROSECOND`;
  const deliveries = `DELETE FROM alert_notification WHERE ${before('created_at')} ORDER BY created_at LIMIT ${batchSize}`;
  const alerts = `DELETE FROM alert WHERE ${before('resolved_at')} ORDER BY resolved_at LIMIT ${batchSize}`;
  return [
    { name: 'messages of alerts', run: (signal) => deleteInBatches(db, deliveries, [deliveryMs], signal) },
    { name: 'resolved alerts', run: (signal) => deleteInBatches(db, alerts, [alertMs], signal) },
  ];
}
