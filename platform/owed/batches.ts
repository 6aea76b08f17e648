// Deletes many rows in statements that each hold few locks.
import type { Database } from '../database/database.ts';

/** Of one statement. */
export const batchSize = 1_000;
/** Per run: the rest waits for the next. */
const usualBatches = 100;

/** Repeats a deletion until a batch is not full. Returns the number of rows. */
export async function inBatches(
  batch: () => Promise<number>,
  signal: AbortSignal | undefined,
  mostBatches = usualBatches,
): Promise<number> {
  let total = 0;
  for (let count = 0; count < mostBatches && signal?.aborted !== true; count += 1) {
    const deleted = await batch();
    total += deleted;
    if (deleted < batchSize) break;
  }
  return total;
}

/** `sql` deletes at most `batchSize` rows. */
export function deleteInBatches(
  db: Database,
  sql: string,
  values: readonly (string | number)[],
  signal: AbortSignal | undefined,
): Promise<number> {
  return inBatches(async () => (await db.execute(sql, values)).affectedRows, signal);
}
