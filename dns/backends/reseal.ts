// Re-encrypts the secrets of backends with the active key. Their servers are not notified, because the secrets stay the same.
import type { Database, Transaction } from '../../platform/database/database.ts';
import { Refusal } from '../../platform/errors/errors.ts';
import type { Resealed, ResealOptions } from '../../platform/process/subgraph-row.ts';
import { openSecret, sealSecret } from './backend-secret.ts';
import { lockBackend, staleSecrets, storeSecret } from './backend-store.ts';

/** Reseals backend by backend. A secret that can't be opened is reported, and the others are resealed. */
export async function resealBackends(db: Database, options: ResealOptions): Promise<Resealed> {
  let resealed = 0;
  const failed: string[] = [];
  for (const id of await staleSecrets(db, options.keyId)) {
    const fault = await db.transaction((tx) => resealOne(tx, id, options));
    if (fault === undefined) resealed += 1;
    else failed.push(fault);
  }
  return { resealed, trusted: [], failed };
}

/** Undefined if it is sealed with the active key. */
async function resealOne(tx: Transaction, id: string, { sealer }: ResealOptions): Promise<string | undefined> {
  const row = await lockBackend(tx, id);
  if (row === undefined) return undefined;
  try {
    await storeSecret(tx, id, sealSecret(sealer, id, row.spec, openSecret(sealer, row)));
    return undefined;
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return `DNS backend ${row.name}: ${error.errors[0]?.message}`;
  }
}
