// Retention of the journal and of deleted mappings: final calls without a live mapping, and mappings that nobody can learn of any
// more, are deleted in small batches.

import type { Database } from '../../../../platform/database/database.ts';
import { marksFor } from '../../../../platform/database/sql.ts';
import { isToldSql } from '../../../../platform/events/history.ts';
import { trustedNow } from '../../../../platform/leases/trusted-clock.ts';
import { isFinal, type OperationState, operationStates } from '../../rules/states.ts';

export interface RelayRetentionOptions {
  readonly db: Database;
  /** How long a final call is kept; at least as long as idempotency keys, which refer to it. */
  readonly operationMs: number;
}

const batchSize = 500;
/** Per run: the rest waits for the next. */
const mostBatches = 200;

/** Deletes the rows that are due. Returns the number of operations. */
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

/**
 * Deletes the mappings that were deleted long ago, once all their events are gone: until then a reader of changes needs the row to
 * learn that it is deleted. Reads the whole table, a page at a time. Returns their number.
 */
export async function deleteOldMappings(
  { db, operationMs }: RelayRetentionOptions,
  signal?: AbortSignal,
): Promise<number> {
  let deleted = 0;
  for (let afterId = ''; signal?.aborted !== true; ) {
    const page = await db.query<{ id: string; old: number }>(
      `SELECT m.id, m.owner_slot IS NULL AND m.updated_at < ${trustedNow} - INTERVAL ? * 1000 MICROSECOND
          AND NOT ${isToldSql('Mapping', 'm.id')} AS old
        FROM mapping m WHERE m.id > ? ORDER BY m.id LIMIT ${batchSize}`,
      [operationMs, afterId],
    );
    const ids = page.filter(({ old }) => old === 1).map(({ id }) => id);
    if (ids.length > 0)
      deleted += (await db.execute(`DELETE FROM mapping WHERE id IN (${marksFor(ids)})`, ids)).affectedRows;
    if (page.length < batchSize) break;
    afterId = page.at(-1)?.id ?? '';
  }
  return deleted;
}

/** The calls that have finally ended, or are gone. Their keys may be deleted once expired. */
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
      `SELECT o.id FROM operation o WHERE o.state = ? AND o.created_at < ${trustedNow} - INTERVAL ? * 1000 MICROSECOND
        AND o.finished_at < ${trustedNow} - INTERVAL ? * 1000 MICROSECOND
        AND NOT EXISTS (SELECT 1 FROM mapping m WHERE m.operation_id = o.id AND m.owner_slot IS NOT NULL)
      ORDER BY o.created_at LIMIT ${batchSize}`,
      [state, operationMs, operationMs],
    );
    if (rows.length === 0) return 0;
    const ids = rows.map((row) => row.id);
    const marks = marksFor(ids);
    await tx.execute(`DELETE FROM operation_evidence WHERE operation_id IN (${marks})`, ids);
    await tx.execute(`DELETE FROM operation WHERE id IN (${marks})`, ids);
    return rows.length;
  });
}
