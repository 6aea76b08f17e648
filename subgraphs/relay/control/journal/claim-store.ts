// Claims: the right to write to an object of a backend, and to change the set of its mappings. A call takes the claim when it is
// sent and releases it with its verdict. A call with an unknown outcome keeps it until it is settled. A mutation of mappings takes
// it for the length of its transaction (lockObject). A claim is a column of the call's row, unique per backend. operation-store.ts
// writes it with the state. This file has the statements that involve more than one call.
import type { Sql, Transaction } from '../../../../platform/database/database.ts';
import { together } from '../../../../platform/database/statement-batch.ts';
import { isDuplicateKey } from '../../../../platform/errors/database-errors.ts';
import { encodeId, newUuid } from '../../../../platform/values/ids.ts';
import type { OperationState } from '../../rules/states.ts';
import type { CallSubject } from '../model/operation.ts';

/** The object is claimed by an unsettled call. */
export class ObjectClaimedError extends Error {
  readonly operationId: string;
  readonly state: OperationState | 'GONE';

  constructor(operationId: string, state: OperationState | 'GONE') {
    super(`the object is claimed by operation ${operationId}, which is ${state}`);
    this.name = 'ObjectClaimedError';
    this.operationId = operationId;
    this.state = state;
  }
}

/** The message for a caller whom this claim refuses. */
export function unsettledMessage(claim: { readonly operationId: string; readonly state: string }): string {
  const id = encodeId('RelayOperation', claim.operationId);
  if (claim.state === 'ACCEPTED')
    return `operation ${id} on the same object is an accepted job: read its end with relayOperationSettle, or set force`;
  return `operation ${id} on the same object is ${claim.state}: settle it, or set force`;
}

interface ClaimRow {
  readonly operationId: string;
  readonly state: OperationState;
}

/** For a batch: a forced call takes the claim from an unsettled one, but not from one that is under way. */
export async function takeClaimOver(batch: Sql, call: CallSubject): Promise<void> {
  await batch.execute(
    "UPDATE operation SET claim = NULL WHERE backend_id = ? AND claim = ? AND state IN ('UNKNOWN', 'ACCEPTED')",
    [call.backendId, call.objectHash],
  );
}

/**
 * For a batch, after a forced call has released its claim. The oldest call on the object that is still unsettled gets the claim
 * again, unless another call has taken it in the meantime.
 */
export async function handClaimBack(batch: Sql, call: CallSubject): Promise<void> {
  const object = [call.backendId, call.objectHash];
  await batch.execute(
    `UPDATE operation o
      JOIN (SELECT MIN(id) AS id FROM operation WHERE backend_id = ? AND object_hash = ? AND state IN ('UNKNOWN', 'ACCEPTED'))
        unsettled ON unsettled.id = o.id
      LEFT JOIN operation holder ON holder.backend_id = ? AND holder.claim = ?
    SET o.claim = o.object_hash WHERE holder.id IS NULL`,
    [...object, ...object],
  );
}

/** The call that claims the object now. */
export async function readClaim(sql: Sql, backendId: string, objectHash: string): Promise<ClaimRow | undefined> {
  const rows = await sql.query<ClaimRow>(
    'SELECT id AS operationId, state FROM operation WHERE backend_id = ? AND claim = ?',
    [backendId, objectHash],
  );
  return rows[0];
}

const mostLockTries = 10;

/**
 * Locks the object's claim until the transaction ends: nothing else takes or releases it, so no call on the object is sent, no
 * verdict on one is written, and no other mutation changes the set of its mappings. Returns the call that has the claim. To be
 * called before the mappings are read.
 */
export async function lockObject(
  tx: Transaction,
  object: { readonly backendId: string; readonly objectHash: string },
): Promise<ClaimRow | undefined> {
  for (let tried = 1; ; tried += 1) {
    const rows = await tx.query<ClaimRow>(
      'SELECT id AS operationId, state FROM operation WHERE backend_id = ? AND claim = ? FOR UPDATE',
      [object.backendId, object.objectHash],
    );
    if (rows[0] !== undefined) return rows[0];
    try {
      await holdClaim(tx, object);
      return undefined;
    } catch (error) {
      // A call took the claim between the two statements.
      if (!isDuplicateKey(error) || tried === mostLockTries) throw error;
    }
  }
}

/**
 * For a transaction that has the object locked: whether a call that took the claim after `at` has ended. `longestWaitMs`: how long
 * a call may have waited before it took it.
 */
export async function endedSince(
  tx: Transaction,
  object: { readonly backendId: string; readonly objectHash: string },
  at: Date,
  longestWaitMs: number,
): Promise<boolean> {
  const [row] = await tx.query<{ found: number }>(
    `SELECT EXISTS (SELECT 1 FROM operation WHERE backend_id = ? AND state IN ('SUCCEEDED', 'FAILED')
      AND created_at >= ? - INTERVAL ? * 1000 MICROSECOND AND object_hash = ? AND finished_at >= ?) AS found`,
    [object.backendId, at, longestWaitMs, object.objectHash, at],
  );
  return row?.found === 1;
}

/**
 * An absent row can't be locked under READ COMMITTED: so a row with the claim is inserted and deleted again. Nobody sees it, and
 * an insert of the same claim waits for the end of the transaction.
 */
async function holdClaim(
  tx: Transaction,
  { backendId, objectHash }: { readonly backendId: string; readonly objectHash: string },
): Promise<void> {
  const id = newUuid();
  await together(tx, (batch) => [
    batch.execute(
      `INSERT INTO operation (id, project_id, backend_id, name, effect, state, resource, scope, object_key, object_hash, claim,
        arguments, call_deadline_ms, timeline, requested_by)
      VALUES (?, '', ?, '', '', 'REJECTED', '', '', '', ?, ?, '{}', 0, 0, '')`,
      [id, backendId, objectHash, objectHash],
    ),
    batch.execute('DELETE FROM operation WHERE id = ?', [id]),
  ]);
}
