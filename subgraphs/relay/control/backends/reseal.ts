// Seals stored credentials again: with the active key if an older one sealed them, and bound to the backend's address if an earlier
// version sealed them without it. The relay continues during the run.
import type { Database, Transaction } from '../../../../platform/database/database.ts';
import { Refusal } from '../../../../platform/errors/errors.ts';
import type { Resealed, ResealOptions } from '../../../../platform/process/subgraph-row.ts';
import { SealError, type Sealer } from '../../../../platform/secrets/seal.ts';
import { type CredentialRow, lockBackend, lockCredentials, presentForm, resealFields } from './backend-store.ts';
import { type OpenedCredentials, openCredentials, sealCredentials } from './credentials.ts';

/** The number of credentials sealed without their backend's address. */
export async function countOlderForm(db: Database): Promise<number> {
  const [row] = await db.query<{ count: number }>('SELECT COUNT(*) AS count FROM backend_credential WHERE form <> ?', [
    presentForm,
  ]);
  return Number(row?.count ?? 0);
}

/** Reseals one backend after the other. A backend whose credentials can't be opened is reported, and the others are resealed. */
export async function resealCredentials(db: Database, options: ResealOptions): Promise<Resealed> {
  const ids = await db.query<{ id: string }>(
    'SELECT DISTINCT backend_id AS id FROM backend_credential WHERE key_id <> ? OR form <> ? ORDER BY backend_id',
    [options.keyId, presentForm],
  );
  const all: Resealed = { resealed: 0, trusted: [], failed: [] };
  return ids.reduce(async (before, { id }) => {
    const sum = await before;
    const one = await db.transaction((tx) => resealOne(tx, id, options));
    return {
      resealed: sum.resealed + one.resealed,
      trusted: [...sum.trusted, ...one.trusted],
      failed: [...sum.failed, ...one.failed],
    };
  }, Promise.resolve(all));
}

async function resealOne(tx: Transaction, id: string, { sealer, keyId, openOlder }: ResealOptions): Promise<Resealed> {
  const row = await lockBackend(tx, id);
  const stored = await lockCredentials(tx, id);
  const old = stored.filter((each) => each.keyId !== keyId || each.form !== presentForm);
  const nothing: Resealed = { resealed: 0, trusted: [], failed: [] };
  if (row === undefined || old.length === 0) return nothing;
  const where = `${row.name} (${row.host}:${row.port})`;
  const isOlder = stored.some(({ form }) => form !== presentForm);
  if (isOlder && !openOlder)
    return {
      ...nothing,
      failed: [`${where}: its credentials are sealed without its address, as by an earlier version`],
    };
  try {
    const opened = isOlder ? openOlderForm(sealer, id, stored) : openCredentials(sealer, row, stored);
    await resealFields(tx, id, sealCredentials(sealer, row, opened));
    return { resealed: stored.length, trusted: isOlder ? [where] : [], failed: [] };
  } catch (error) {
    if (!(error instanceof Refusal || error instanceof SealError)) throw error;
    return { ...nothing, failed: [`${where}: ${error instanceof Refusal ? error.errors[0]?.message : error.message}`] };
  }
}

/** Form 1, bound only to backend and field: it does not contain the address that it was given for. */
function openOlderForm(sealer: Sealer, id: string, rows: readonly CredentialRow[]): OpenedCredentials {
  return Object.fromEntries(rows.map((row) => [row.field, sealer.open(row, `backend/${id}/${row.field}`)]));
}
