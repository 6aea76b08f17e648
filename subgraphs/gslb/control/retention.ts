// Deletes old history: changes of verdicts, past plans, and the names that changed in each generation of a zone.
import type { Database } from '../../../platform/database/database.ts';
import { trustedNow } from '../../../platform/leases/trusted-clock.ts';
import { batchSize, deleteInBatches } from '../../../platform/owed/batches.ts';
import type { RetentionStep } from '../../../platform/process/subgraph-row.ts';

const dayMs = 86_400_000;
/** A name server that was away for longer gets its zones whole. */
const zoneChangeMs = 7 * dayMs;

const old = `at < ${trustedNow} - INTERVAL ? * 1000 MICROSECOND`;
/** The newest plan of a name is its current answer, however old. */
const notNewest = 'generation < (SELECT g.generation FROM gslb g WHERE g.id = gslb_plan.gslb_id)';

export function retentionSteps(db: Database, historyDays: number): readonly RetentionStep[] {
  const historyMs = historyDays * dayMs;
  const step = (name: string, sql: string, keptMs: number): RetentionStep => ({
    name,
    run: (signal) => deleteInBatches(db, sql, [keptMs], signal),
  });
  return [
    step('verdicts of GSLB members', `DELETE FROM gslb_flip WHERE ${old} ORDER BY at LIMIT ${batchSize}`, historyMs),
    step(
      'past answers of GSLBs',
      `DELETE FROM gslb_plan WHERE ${old} AND (${notNewest} OR NOT EXISTS (SELECT 1 FROM gslb g WHERE g.id = gslb_plan.gslb_id))
      ORDER BY at LIMIT ${batchSize}`,
      historyMs,
    ),
    step(
      'changes of GSLB zones',
      `DELETE FROM gslb_zone_change WHERE ${old} ORDER BY at LIMIT ${batchSize}`,
      zoneChangeMs,
    ),
  ];
}
