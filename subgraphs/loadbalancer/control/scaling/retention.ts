// Deletes old autoscaling decisions in small batches: those that changed nothing after a day, the others later.
import type { Database } from '../../../../platform/database/database.ts';
import { trustedNow } from '../../../../platform/leases/trusted-clock.ts';
import { scalingActions } from '../../rules/scaling-policy.ts';

const batchSize = 1_000;
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
    for (let batch = 0; batch < mostBatches && signal?.aborted !== true; batch += 1) {
      const sql = `DELETE FROM lb_scaling_decision WHERE action = ? AND at < ${trustedNow} - INTERVAL ? SECOND ORDER BY at LIMIT ?`;
      const { affectedRows } = await db.execute(sql, [action, keptMs / 1000, batchSize]);
      deleted += affectedRows;
      if (affectedRows < batchSize) break;
    }
  }
  return deleted;
}
