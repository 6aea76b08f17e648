// Deletes old autoscaling decisions in small batches: those that changed nothing after a day, the others later.
import type { Database } from '../../../../platform/database/database.ts';
import { trustedNow } from '../../../../platform/leases/trusted-clock.ts';
import { batchSize, inBatches } from '../../../../platform/owed/batches.ts';
import { scalingActions } from '../../rules/scaling-policy.ts';

const mostBatches = 200;
const dayMs = 86_400_000;

/** Returns the number of rows. */
export async function deleteOldDecisions(
  db: Database,
  { changedMs }: { readonly changedMs: number },
  signal?: AbortSignal,
): Promise<number> {
  let deleted = 0;
  for (const action of scalingActions) {
    const keptMs = action === 'KEEP' ? dayMs : changedMs;
    const sql = `DELETE FROM lb_scaling_decision WHERE action = ? AND at < ${trustedNow} - INTERVAL ? SECOND ORDER BY at LIMIT ?`;
    const batch = async () => (await db.execute(sql, [action, keptMs / 1000, batchSize])).affectedRows;
    deleted += await inBatches(batch, signal, mostBatches);
  }
  return deleted;
}
