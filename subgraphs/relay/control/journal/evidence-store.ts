// Evidence about a call beside its transitions: rows, of which only the last one of a full list is ever replaced.
import type { Transaction } from '../../../../platform/database/database.ts';
import type { OperationMark } from '../model/operation.ts';
import { touchOperation } from './operation-store.ts';

export interface Evidence {
  /** reply, probe, operator, recovery. */
  readonly source: string;
  /** A state, or a finding that proves nothing yet: AS_WANTED_SO_FAR, ABSENT_SO_FAR. */
  readonly finding: string;
  readonly note: string | null;
}

/** The most rows kept for one operation: a further one replaces the last, so that the newest finding is always there. */
const most = 100;

/** With `touch`, the operation's version is incremented too. Returns false and adds nothing if its row has changed since. */
export async function addEvidence(
  tx: Transaction,
  operationId: string,
  evidence: Evidence,
  touch?: OperationMark,
): Promise<boolean> {
  if (touch !== undefined && !(await touchOperation(tx, touch))) return false;
  await tx.execute(
    `REPLACE INTO operation_evidence (id, operation_id, source, finding, note)
    SELECT IF(COUNT(*) < ${most}, NULL, MAX(id)), ?, ?, ?, ? FROM operation_evidence WHERE operation_id = ?`,
    [operationId, evidence.source, evidence.finding, evidence.note?.slice(0, 1024) ?? null, operationId],
  );
  return true;
}
