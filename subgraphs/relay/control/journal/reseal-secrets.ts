// Seals the secret arguments of unended calls again, with the active key. The relay continues during the run.
import type { Database } from '../../../../platform/database/database.ts';
import type { Resealed, ResealOptions } from '../../../../platform/process/subgraph-row.ts';
import { SealError } from '../../../../platform/secrets/seal.ts';
import { isFinal, operationStates } from '../../rules/states.ts';
import { resealedSecrets } from '../model/secret-arguments.ts';

const unended = operationStates.filter((state) => !isFinal(state));

/** Reseals one call after the other. A call whose secrets can't be opened is reported. */
export async function resealSecrets(db: Database, { sealer, keyId }: ResealOptions): Promise<Resealed> {
  const rows = await db.query<{ id: string; secrets: string }>(
    `SELECT id, secrets FROM operation WHERE state IN (${unended.map(() => '?').join(', ')})
      AND secrets IS NOT NULL AND SUBSTRING_INDEX(secrets, ':', 1) <> ?`,
    [...unended, keyId],
  );
  let resealed = 0;
  const failed: string[] = [];
  for (const row of rows) {
    try {
      const secrets = resealedSecrets(sealer, row);
      // A call that has ended in the meantime has no secrets any more.
      const { affectedRows } = await db.execute('UPDATE operation SET secrets = ? WHERE id = ? AND secrets = ?', [
        secrets,
        row.id,
        row.secrets,
      ]);
      resealed += affectedRows;
    } catch (error) {
      if (!(error instanceof SealError)) throw error;
      failed.push(`secret arguments of call ${row.id}: ${error.message}`);
    }
  }
  return { resealed, trusted: [], failed };
}
