// Deletes old entries from the beginning of the chain. They are verified first: changed entries are kept as evidence, and an
// entry with a falsified time is not deleted.
import type { Database } from '../database/database.ts';
import { trustedNow } from '../leases/trusted-clock.ts';
import { type AuditKeys, endFault, readEnds, signEnd } from './ends.ts';
import { checkRange } from './verify.ts';

const batchSize = 1_000;

/*
 * Inputs: the new beginning with its hash and signature; the beginning as it was read; the new beginning again.
 * Output: how many entries were deleted; 0 when someone else has purged since.
 * Must hold: one statement, run by the server: a client that pauses in the middle would block the sealer.
 */
const purgeStatement = `SET STATEMENT innodb_lock_wait_timeout = 2 FOR BEGIN NOT ATOMIC
  DECLARE moved, deleted INT DEFAULT 0;
  DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;
  START TRANSACTION;
  UPDATE audit_chain SET first_position = ?, base_hash = ?, base_signature = ?
    WHERE id = 1 AND first_position = ? AND base_hash = ?;
  SET moved = ROW_COUNT();
  IF moved = 1 THEN
    DELETE FROM audit_entry WHERE position < ?;
    SET deleted = ROW_COUNT();
  END IF;
  COMMIT;
  SELECT deleted;
END`;

/**
 * Deletes up to 1,000 sealed entries older than `keptMs`, stopping at the first younger one. Throws when they fail verification.
 */
export async function purgeAudit(db: Database, keys: AuditKeys, keptMs: number): Promise<number> {
  const { head, base } = await readEnds(db);
  const first = base.position + 1;
  const past = Math.min(head.position, base.position + batchSize) + 1;
  const [young] = await db.query<{ position: number | null }>(
    `SELECT MIN(position) AS position FROM audit_entry WHERE position >= ? AND position < ? AND at >= ${trustedNow} - INTERVAL ? SECOND`,
    [first, past, keptMs / 1000],
  );
  const cut = young?.position ?? past;
  if (cut <= first) return 0;
  const endWrong = endFault(keys.publicKeys, 'base', base);
  if (endWrong !== undefined) throw new Error(`the audit trail is not purged: ${endWrong}`);
  const { fault, lastHash } = await checkRange(db, { head, base }, first, cut);
  // In this case another process has purged in the meantime.
  if (fault !== undefined && (await readEnds(db)).base.position > base.position) return 0;
  if (fault !== undefined)
    throw new Error(`the audit trail is not purged: it is broken at ${fault.position}, where ${fault.reason}`);
  const end = { position: cut - 1, hash: lastHash };
  const values = [cut, end.hash, signEnd(keys.signingKeys, 'base', end), first, base.hash, cut];
  const answer = (await db.write<unknown>(purgeStatement, values)) as unknown as [{ deleted: number }[], unknown];
  return answer[0][0]?.deleted ?? 0;
}
