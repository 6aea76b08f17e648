// Reads a name from this cluster's own replica, without asking others: for callers that want exactly that.
import type { Database } from '../../../../platform/database/database.ts';
import { toBinary } from './partition-state.ts';
import type { RegisterKey, StoredValue } from './register.ts';
import { kinds } from './register-rows.ts';

/** Undefined if there is no value, or a deletion. */
export async function localHead(
  db: Database,
  { ring, scope, name }: RegisterKey,
): Promise<Pick<StoredValue, 'head'> | undefined> {
  const [row] = await db.query<{ head: string }>(
    `SELECT head FROM store_register WHERE ring = ? AND scope = ? AND name = ? AND kind = ${kinds.value}`,
    [ring, toBinary(scope), Buffer.from(name)],
  );
  return row;
}
