// Creates, changes and removes backends for an administrator, inside the caller's transaction.
import type { Transaction } from '../../platform/database/database.ts';
import { refuse } from '../../platform/errors/errors.ts';
import type { Sealer } from '../../platform/secrets/seal.ts';
import { newUuid } from '../../platform/values/ids.ts';
import type { Wake } from '../../platform/work/wake.ts';
import { zonesOfBackend } from '../publish/publication-store.ts';
import type { BackendRow } from './backend.ts';
import type { CheckedBackend } from './backend-input.ts';
import { sealSecret } from './backend-secret.ts';
import {
  backendNamed,
  changeBackend,
  deleteBackend,
  insertBackend,
  lockBackend,
  readBackend,
} from './backend-store.ts';
import { oweZone } from './zone-service.ts';
import { zonesOf } from './zone-store.ts';

/** Refuses ALREADY_EXISTS, CREDENTIALS_REQUIRED. */
export async function createBackend(
  tx: Transaction,
  sealer: Sealer,
  { name, spec, secret }: CheckedBackend & { readonly name: string },
): Promise<BackendRow> {
  await refuseNamed(tx, name);
  if (secret === undefined) needSecret(`a backend of type ${spec.type} is reached with a secret`);
  const id = newUuid();
  const hasSecret = Object.keys(secret).length > 0;
  await insertBackend(
    tx,
    { id, name, type: spec.type, spec },
    hasSecret ? sealSecret(sealer, id, spec, secret) : undefined,
  );
  return (await readBackend(tx, id)) as BackendRow;
}

/**
 * Without a secret the stored one stays, unless it would be sent to another server. New servers get all its zones and names. Refuses NOT_FOUND, and
 * like createBackend.
 */
export async function updateBackend(
  tx: Transaction,
  { sealer, wake }: { readonly sealer: Sealer; readonly wake: Wake },
  id: string,
  { name, spec, secret }: CheckedBackend & { readonly name: string },
): Promise<BackendRow> {
  const before = await lockBackend(tx, id);
  if (before === undefined) return refuse('NOT_FOUND', 'there is no such DNS backend', { field: ['input', 'id'] });
  if (before.type !== spec.type)
    refuse('INVALID_INPUT', `the backend has the type ${before.type}, which never changes: make another backend`, {
      field: ['input', 'type'],
    });
  if (name !== before.name) await refuseNamed(tx, name);
  const isElsewhere = JSON.stringify(spec) !== JSON.stringify(before.spec);
  if (secret === undefined && isElsewhere) needSecret('where or how the servers are reached changes');
  const isSecret = secret !== undefined && Object.keys(secret).length > 0;
  if (!isSecret && !isElsewhere && name === before.name) return before;
  const sealed = isSecret ? sealSecret(sealer, id, spec, secret) : undefined;
  await changeBackend(tx, { id, name, spec }, sealed);
  for (const zone of await zonesOfBackend(tx, id)) await oweZone(tx, wake, zone);
  return (await readBackend(tx, id)) as BackendRow;
}

/** Refuses NOT_FOUND, IN_USE. */
export async function removeBackend(tx: Transaction, id: string): Promise<void> {
  const before = await lockBackend(tx, id);
  if (before === undefined) return refuse('NOT_FOUND', 'there is no such DNS backend', { field: ['input', 'id'] });
  const [zone] = await zonesOf(tx, id, 1);
  if (zone !== undefined) refuse('IN_USE', `the zone ${zone.name} is at this backend: delete the zone first`);
  await deleteBackend(tx, id);
}

async function refuseNamed(tx: Transaction, name: string): Promise<void> {
  if ((await backendNamed(tx, name)) !== undefined)
    refuse('ALREADY_EXISTS', `there is a DNS backend ${name}: choose another name`, { field: ['input', 'name'] });
}

function needSecret(why: string): never {
  return refuse('CREDENTIALS_REQUIRED', `${why}: send the secret in the same request`, {
    field: ['input', 'credentials'],
  });
}
