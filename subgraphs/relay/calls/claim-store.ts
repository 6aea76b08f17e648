// Claims: who may write to an object of a backend now. A call takes the claim when it is sent and gives it back with its
// verdict; a call whose outcome is unknown keeps it until it is settled.
import type { Sql, Transaction } from '../../../platform/database/database.ts';
import { isDuplicateKey } from '../../../platform/database/errors.ts';
import type { CallSubject } from './operation.ts';
import type { OperationState } from './states.ts';

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

interface ClaimRow {
  readonly operationId: string;
  readonly state: OperationState;
}

const readSql = `SELECT c.operation_id AS operationId, o.state FROM object_claim c JOIN operation o ON o.id = c.operation_id
  WHERE c.backend_id = ? AND c.object_hash = ?`;

/** Throws ObjectClaimedError. A forced call takes the claim over from one whose outcome is unknown. */
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
  if (holder.state !== 'UNKNOWN' || !call.forced) throw new ObjectClaimedError(holder.operationId, holder.state);
  await tx.execute('UPDATE object_claim SET operation_id = ? WHERE backend_id = ? AND object_hash = ?', [
    call.id,
    ...object,
  ]);
}

/** The call that holds the object now. */
export async function readClaim(sql: Sql, backendId: string, objectHash: string): Promise<ClaimRow | undefined> {
  const rows = await sql.query<ClaimRow>(readSql, [backendId, objectHash]);
  return rows[0];
}

/** Gives the claim back; after a forced call, to the unknown one it was taken from. */
export async function releaseClaim(tx: Transaction, call: CallSubject): Promise<void> {
  if (call.forced) {
    const { affectedRows } = await tx.execute(
      `UPDATE object_claim SET operation_id = (SELECT o.id FROM operation o WHERE o.backend_id = ? AND o.state = 'UNKNOWN'
        AND o.object_hash = ? AND o.id <> ? ORDER BY o.id LIMIT 1)
      WHERE backend_id = ? AND object_hash = ? AND operation_id = ? AND EXISTS (SELECT 1 FROM operation o
        WHERE o.backend_id = ? AND o.state = 'UNKNOWN' AND o.object_hash = ? AND o.id <> ?)`,
      [
        ...[call.backendId, call.objectHash, call.id],
        ...[call.backendId, call.objectHash, call.id],
        ...[call.backendId, call.objectHash, call.id],
      ],
    );
    if (affectedRows === 1) return;
  }
  await tx.execute('DELETE FROM object_claim WHERE backend_id = ? AND object_hash = ? AND operation_id = ?', [
    call.backendId,
    call.objectHash,
    call.id,
  ]);
}
