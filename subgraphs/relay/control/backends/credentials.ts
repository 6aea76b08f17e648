// Credentials at rest: each field is sealed separately and bound to its backend, its field and the address that it was given for.
// A copied row can't be opened, nor can a row whose backend's address was changed in the database by hand.
//
// The column `form`: 2 is this format. 1, the earlier format, is bound to backend and field only; only resealing opens it, once.
import type { BackendCredentialsInput } from '../../../../generated/graph/relay.ts';
import { refuse } from '../../../../platform/errors/errors.ts';
import { SealError, type Sealed, type Sealer } from '../../../../platform/secrets/seal.ts';
import type { CredentialField } from '../../drivers/driver.ts';
import { type CredentialRow, presentForm } from './backend-store.ts';
import { addressDigest, type SecretAddress } from './secret-address.ts';

export type { BackendCredentialsInput };

export const credentialFields = [
  'username',
  'password',
  'privateKey',
  'passphrase',
  'apiToken',
  'clientCertificate',
] as const satisfies readonly CredentialField[];

export type OpenedCredentials = Partial<Record<CredentialField, string>>;

export function sealCredentials(
  sealer: Sealer,
  address: SecretAddress,
  input: BackendCredentialsInput | OpenedCredentials,
): Map<string, Sealed> {
  const digest = addressDigest(address);
  const sealed = new Map<string, Sealed>();
  for (const field of credentialFields) {
    const value = input[field];
    if (value != null) sealed.set(field, sealer.seal(value, aad(address, field, digest)));
  }
  return sealed;
}

/** Refuses CREDENTIALS_UNUSABLE. */
export function openCredentials(
  sealer: Sealer,
  address: SecretAddress & { readonly name: string },
  rows: readonly CredentialRow[],
): OpenedCredentials {
  if (rows.length === 0) unusable(address.name, 'none are stored:');
  if (rows.some(({ form }) => form !== presentForm))
    unusable(address.name, 'they are sealed in the format of an earlier version: run "tidegate keys reseal", or');
  const digest = addressDigest(address);
  try {
    return Object.fromEntries(rows.map((row) => [row.field, sealer.open(row, aad(address, row.field, digest))]));
  } catch (error) {
    if (!(error instanceof SealError)) throw error;
    if (error.why === 'CHANGED') unusable(address.name, 'they were stored for another address, or were changed:');
    const keys = [...new Set(rows.map(({ keyId }) => keyId))].join(', ');
    return unusable(address.name, `the key file lacks a key that they were sealed with (${keys}): restore it, or`);
  }
}

function unusable(name: string, why: string): never {
  const message = `the credentials of backend ${name} can't be used: ${why} send them with backendUpdate`;
  refuse('CREDENTIALS_UNUSABLE', message, { field: ['input', 'backend'] });
}

function aad({ id }: SecretAddress, field: string, digest: string): string {
  return `backend/${id}/${field} for ${digest}`;
}
