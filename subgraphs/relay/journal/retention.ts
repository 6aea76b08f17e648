// Retention of the journal: final calls without a live mapping are deleted, oldest first, in small batches.

import type { Database } from '../../../platform/database/database.ts';
import { marksFor } from '../../../platform/database/sql.ts';
import { isFinal, type OperationState, operationStates } from '../model/states.ts';

export interface RelayRetentionOptions {
  readonly db: Database;
  /** How long a final call is kept; at least as long as idempotency keys, which refer to it. */
  readonly operationMs: number;
}

const batchSize = 500;
/** Per run: the rest waits for the next. */
const mostBatches = 200;

/** Deletes what is due; returns the number of operations. */
export async function deleteOldOperations(options: RelayRetentionOptions, signal?: AbortSignal): Promise<number> {
  let deleted = 0;
  let batches = 0;
  for (const state of operationStates.filter(isFinal)) {
    for (let count = batchSize; count === batchSize && batches < mostBatches; batches += 1) {
      if (signal?.aborted === true) return deleted;
      count = await deleteBatch(options, state);
      deleted += count;
    }
  }
  return deleted;
}

/** The calls that have ended for good, or are gone: their keys may be deleted once expired. */
export async function endedCalls(db: Database, callIds: readonly string[]): Promise<ReadonlySet<string>> {
  if (callIds.length === 0) return new Set();
  const rows = await db.query<{ id: string }>(
    `SELECT id FROM operation WHERE id IN (${marksFor(callIds)})
      AND state NOT IN ('SUCCEEDED', 'FAILED', 'REJECTED')`,
    callIds,
  );
  const open = new Set(rows.map((row) => row.id));
  return new Set(callIds.filter((id) => !open.has(id)));
}

function deleteBatch({ db, operationMs }: RelayRetentionOptions, state: OperationState): Promise<number> {
  return db.transaction(async (tx) => {
    const rows = await tx.query<{ id: string }>(
      // The index has when they were accepted, which is earlier.
      `SELECT o.id FROM operation o WHERE o.state = ? AND o.created_at < NOW(3) - INTERVAL ? * 1000 MICROSECOND
        AND o.finished_at < NOW(3) - INTERVAL ? * 1000 MICROSECOND
        AND NOT EXISTS (SELECT 1 FROM mapping m WHERE m.operation_id = o.id AND m.owner_slot IS NOT NULL)
      ORDER BY o.created_at LIMIT ${batchSize}`,
      [state, operationMs, operationMs],
    );
    if (rows.length === 0) return 0;
    const ids = rows.map((row) => row.id);
    const marks = marksFor(ids);
    await tx.execute(`DELETE FROM operation_evidence WHERE operation_id IN (${marks})`, ids);
    await tx.execute(`DELETE FROM mapping WHERE operation_id IN (${marks}) AND owner_slot IS NULL`, ids);
    await tx.execute(`DELETE FROM operation WHERE id IN (${marks})`, ids);
    return rows.length;
  });
}
