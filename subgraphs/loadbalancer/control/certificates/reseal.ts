// Seals the private keys of certificates again with the active key. Nodes need no update: the private keys stay the same.
import type { Database, Transaction } from '../../../../platform/database/database.ts';
import type { Resealed, ResealOptions } from '../../../../platform/process/subgraph-row.ts';
import { SealError } from '../../../../platform/secrets/seal.ts';
import { keyPlace } from './certificate-service.ts';
import { lockSealedKey, resealKey, staleKeys } from './certificate-store.ts';

const batchSize = 100;

/** Works certificate by certificate. One whose key can't be opened is reported, and the others are resealed. */
export async function resealCertificates(db: Database, options: ResealOptions): Promise<Resealed> {
  let resealed = 0;
  const failed: string[] = [];
  for (let after = ''; ; ) {
    const ids = await staleKeys(db, { keyId: options.keyId, after, limit: batchSize });
    for (const id of ids) {
      const fault = await db.transaction((tx) => resealOne(tx, id, options));
      if (fault === undefined) resealed += 1;
      else failed.push(fault);
    }
    if (ids.length < batchSize) return { resealed, trusted: [], failed };
    after = ids.at(-1) ?? '';
  }
}

/** Undefined if it is already sealed with the active key. */
async function resealOne(tx: Transaction, id: string, { sealer }: ResealOptions): Promise<string | undefined> {
  const row = await lockSealedKey(tx, id);
  if (row === undefined) return undefined;
  const place = keyPlace(id, row.sha256);
  try {
    const { keyId, sealed } = sealer.seal(sealer.open({ keyId: row.keyId, sealed: row.sealedKey }, place), place);
    await resealKey(tx, id, { keyId, sealedKey: sealed });
    return undefined;
  } catch (error) {
    if (!(error instanceof SealError)) throw error;
    return `certificate ${row.name}: ${error.message}`;
  }
}
