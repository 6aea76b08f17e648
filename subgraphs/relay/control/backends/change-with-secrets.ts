// A change of a backend together with its secrets: they are replaced, deleted, or sealed again for an address that is as safe as
// the old one. A change that could send them to another receiver is refused.
import type { Transaction } from '../../../../platform/database/database.ts';
import { Refusal, userError } from '../../../../platform/errors/errors.ts';
import type { Sealer } from '../../../../platform/secrets/seal.ts';
import type { Driver } from '../../drivers/driver.ts';
import type { BackendRow } from './backend.ts';
import { type BackendChange, lockCredentials, replaceCredentials, resealFields } from './backend-store.ts';
import { openCircuit } from './circuit.ts';
import { type BackendCredentialsInput, openCredentials, sealCredentials } from './credentials.ts';
import { addressDigest, movedFields, type SecretAddress } from './secret-address.ts';

/** The part of a request about secrets. */
export interface GivenSecrets {
  readonly credentials?: BackendCredentialsInput | null;
  readonly dropCredentials?: boolean | null;
}

interface ChangeWithSecrets {
  /** Locked in this transaction. */
  readonly row: BackendRow;
  readonly change: BackendChange;
  readonly given: GivenSecrets;
  readonly sealer: Sealer;
  /** Undefined if this relay does not have it. */
  readonly driver: Driver | undefined;
}

const noneStored = openCircuit('no credentials are stored: send them with backendUpdate', true);

/** The change to make. Refuses CREDENTIALS_REQUIRED and CREDENTIALS_UNUSABLE. */
export async function changeWithSecrets(tx: Transaction, options: ChangeWithSecrets): Promise<BackendChange> {
  const { row, change, given, sealer, driver } = options;
  const after = { ...row, ...change } as SecretAddress;
  if (given.credentials != null) {
    await replaceCredentials(tx, row.id, sealCredentials(sealer, after, given.credentials));
    return change;
  }
  const stored = await lockCredentials(tx, row.id);
  if (given.dropCredentials === true) await replaceCredentials(tx, row.id, new Map());
  if (given.dropCredentials === true || stored.length === 0)
    return given.dropCredentials === true || change.circuitState === 'CLOSED' ? { ...change, ...noneStored } : change;
  if (addressDigest(row) === addressDigest(after)) return change;
  const moved = movedFields(row, after, driver);
  if (moved.length > 0)
    refuseMove(
      row,
      moved,
      stored.map(({ field }) => field),
    );
  await resealFields(tx, row.id, sealCredentials(sealer, after, openCredentials(sealer, row, stored)));
  return change;
}

/** One error for each required secret. */
function refuseMove({ name, host, port }: BackendRow, moved: readonly string[], stored: readonly string[]): never {
  const secrets = stored.filter((field) => field !== 'username');
  throw new Refusal(
    (secrets.length === 0 ? stored : secrets).map((field) => {
      const message = `the stored ${field} of backend ${name} is for ${host}:${port} as it is now: to change ${moved.join(', ')}, send it in the same request, or delete the stored credentials with backendUpdate { dropCredentials: true }`;
      return userError('CREDENTIALS_REQUIRED', message, { field: ['input', 'credentials', field] });
    }),
  );
}
