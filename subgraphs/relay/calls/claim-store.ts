// Claims: who may write to an object of a backend now. A call takes the claim when it is sent and gives it back with its
// verdict; a call whose outcome is unknown keeps it until it is settled.
import type { Sql, Transaction } from '../../../platform/database/database.ts';
import { isDuplicateKey } from '../../../platform/database/errors.ts';
import { encodeId } from '../../../platform/ids.ts';
import type { CallSubject } from './operation.ts';
import { isUnsettled, type OperationState } from './states.ts';

/** The object is claimed by a call that is not settled. */
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

/** For who is refused because of it. */
export function unsettledMessage(claim: { readonly operationId: string; readonly state: string }): string {
  const id = encodeId('Operation', claim.operationId);
  if (claim.state === 'ACCEPTED')
    return `operation ${id} on the same object is a job that the device took: read its end with operationSettle, or force`;
  return `operation ${id} on the same object is ${claim.state}: settle it, or force`;
}

interface ClaimRow {
  readonly operationId: string;
  readonly state: OperationState;
}

const readSql = `SELECT c.operation_id AS operationId, o.state FROM object_claim c JOIN operation o ON o.id = c.operation_id
  WHERE c.backend_id = ? AND c.object_hash = ?`;

/** Throws ObjectClaimedError. A forced call takes the claim over from one that is not settled. */
export async function claimObject(tx: Transaction, call: CallSubject): Promise<void> {
  const object = [call.backendId, call.objectHash];
  try {
    await tx.execute('INSERT INTO object_claim (backend_id, object_hash, operation_id) VALUES (?, ?, ?)', [
      ...object,
      call.id,
    ]);
    return;
  } catch (error) {
    if (!isDuplicateKey(error)) throw error;
  }
  const [holder] = await tx.query<ClaimRow>(`${readSql} FOR UPDATE`, object);
  if (holder === undefined) throw new ObjectClaimedError('', 'GONE');
  if (!isUnsettled(holder.state) || !call.forced) throw new ObjectClaimedError(holder.operationId, holder.state);
  await tx.execute('UPDATE object_claim SET operation_id = ? WHERE backend_id = ? AND object_hash = ?', [
    call.id,
    ...object,
  ]);
}

/** As claimObject for a call that is not forced, in a batch; the batch ends with the database's duplicate error. */
export async function claimFreeObject(batch: Transaction, call: CallSubject): Promise<void> {
  await batch.execute('INSERT INTO object_claim (backend_id, object_hash, operation_id) VALUES (?, ?, ?)', [
    call.backendId,
    call.objectHash,
    call.id,
  ]);
}

/** The call that holds the object now. */
export async function readClaim(sql: Sql, backendId: string, objectHash: string): Promise<ClaimRow | undefined> {
  const rows = await sql.query<ClaimRow>(readSql, [backendId, objectHash]);
  return rows[0];
}

/**
 * Gives the claim back; after a forced call, to the unknown one it was taken from, if that is still not settled. Fit for a batch.
 */
export async function releaseClaim(tx: Transaction, call: CallSubject): Promise<void> {
  const ours = [call.backendId, call.objectHash, call.id];
  const handBack = call.forced
    ? tx.execute(
        `UPDATE object_claim c JOIN (SELECT MIN(o.id) AS id FROM operation o WHERE o.backend_id = ? AND o.state IN ('UNKNOWN', 'ACCEPTED')
          AND o.object_hash = ? AND o.id <> ?) unsettled ON unsettled.id IS NOT NULL
        SET c.operation_id = unsettled.id WHERE c.backend_id = ? AND c.object_hash = ? AND c.operation_id = ?`,
        [...ours, ...ours],
      )
    : undefined;
  const release = tx.execute(
    'DELETE FROM object_claim WHERE backend_id = ? AND object_hash = ? AND operation_id = ?',
    ours,
  );
  await Promise.all([handBack, release]);
}
