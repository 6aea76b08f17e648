// Retention of the journal, of deleted mappings and of deleted backends: final calls without a live mapping, and mappings and backends that
// nobody can learn of any more.

import type { Database } from '../../../../platform/database/database.ts';
import { marksFor } from '../../../../platform/database/sql.ts';
import { isToldSql } from '../../../../platform/events/history.ts';
import { trustedNow } from '../../../../platform/leases/trusted-clock.ts';
import { oldRowsStep } from '../../../../platform/owed/old-rows.ts';
import type { OldRows, RetentionStep } from '../../../../platform/owed/retention-step.ts';
import { isFinal, operationStates } from '../../rules/states.ts';

/** `keptMs`: how long a final call is kept; at least as long as idempotency keys, which refer to it. */
export function relayRetention(db: Database, keptMs: number): readonly RetentionStep[] {
  return [...operationStates.filter(isFinal).map((state) => oldOperations(state, keptMs)), ...deletedRows(keptMs)].map(
    (rows) => oldRowsStep(db, rows),
  );
}

function oldOperations(state: string, keptMs: number): OldRows {
  return {
    ...{ name: `operations (${state})`, table: 'operation', given: { state }, keptMs },
    // The index has when they were accepted, which is earlier.
    column: 'created_at',
    where: `operation.finished_at < ${trustedNow} - INTERVAL ${keptMs} * 1000 MICROSECOND
      AND NOT EXISTS (SELECT 1 FROM mapping m WHERE m.operation_id = operation.id AND m.owner_slot IS NOT NULL)`,
    parts: { operation_evidence: 'operation_id' },
  };
}

/** Until all their events are gone, a reader of changes needs the row to learn that it is deleted. */
function deletedRows(keptMs: number): readonly OldRows[] {
  return [
    {
      ...{ name: 'deleted mappings', table: 'mapping', given: { owner_slot: null }, column: 'updated_at', keptMs },
      where: `NOT ${isToldSql('Mapping', 'mapping.id')}`,
    },
    {
      ...{ name: 'deleted backends', table: 'backend', column: 'deleted_at', keptMs },
      where: `NOT ${isToldSql('Backend', 'backend.id')}
        AND NOT EXISTS (SELECT 1 FROM operation o WHERE o.backend_id = backend.id)
        AND NOT EXISTS (SELECT 1 FROM mapping m WHERE m.backend_id = backend.id)`,
      parts: { backend_identity: 'backend_id', backend_label: 'backend_id', backend_credential: 'backend_id' },
    },
  ];
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
