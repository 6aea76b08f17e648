// Credentials at rest: each field sealed by itself, bound to its backend and field, so that a copied row opens nothing.
import type { BackendCredentialsInput } from '../../../generated/graph/relay.ts';
import type { Database } from '../../../platform/database/database.ts';
import type { Sealed, Sealer } from '../../../platform/secrets/seal.ts';
import type { CredentialField } from '../drivers/driver.ts';
import type { CredentialRow } from './backend-store.ts';

export type { BackendCredentialsInput };

export const credentialFields = [
  'username',
  'password',
  'privateKey',
  'passphrase',
  'apiToken',
  'clientCertificate',
] as const satisfies readonly CredentialField[];

export function sealCredentials(
  sealer: Sealer,
  backendId: string,
  input: BackendCredentialsInput,
): Map<string, Sealed> {
  const sealed = new Map<string, Sealed>();
  for (const field of credentialFields) {
    const value = input[field];
    if (value != null) sealed.set(field, sealer.seal(value, aad(backendId, field)));
  }
  return sealed;
}

/** Throws when a key is missing from the key file. */
export function openCredentials(
  sealer: Sealer,
  backendId: string,
  rows: readonly CredentialRow[],
): Partial<Record<CredentialField, string>> {
  return Object.fromEntries(rows.map((row) => [row.field, sealer.open(row, aad(backendId, row.field))]));
}

/**
 * Seals with the active key what an older one sealed, row by row, while the relay goes on; a credential that is replaced
 * meanwhile is left as it is. Returns how many were sealed anew.
 */
export async function resealCredentials(db: Database, sealer: Sealer, activeKeyId: string): Promise<number> {
  const rows = await db.query<CredentialRow & { backendId: string }>(
    `SELECT backend_id AS backendId, field, key_id AS keyId, sealed FROM backend_credential WHERE key_id <> ?
      ORDER BY backend_id, field`,
    [activeKeyId],
  );
  let resealed = 0;
  for (const row of rows) {
    const place = aad(row.backendId, row.field);
    const { keyId, sealed } = sealer.seal(sealer.open(row, place), place);
    const { affectedRows } = await db.execute(
      'UPDATE backend_credential SET key_id = ?, sealed = ? WHERE backend_id = ? AND field = ? AND sealed = ?',
      [keyId, sealed, row.backendId, row.field, row.sealed],
    );
    resealed += affectedRows;
  }
  return resealed;
}

function aad(backendId: string, field: string): string {
  return `backend/${backendId}/${field}`;
}
