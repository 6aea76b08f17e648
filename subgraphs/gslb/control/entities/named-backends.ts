// The DNS backends that zones and flavors name.
import { holdBackend, readBackend } from '../../../../dns/backends/backend-store.ts';
import type { BackendType } from '../../../../dns/records/backend-types.ts';
import type { Sql, Transaction } from '../../../../platform/database/database.ts';
import type { InputCheck } from '../../../../platform/input/input.ts';
import { refuseUnknown } from '../../../../platform/input/refusals.ts';
import { encodeId } from '../../../../platform/values/ids.ts';
import type { JsonObject } from '../../../../platform/values/json.ts';

/** Null for our own name servers. Undefined if there is no such backend, with the fault in `check`. */
export async function checkBackendNamed(
  sql: Sql,
  check: InputCheck,
  { backend }: JsonObject,
): Promise<BackendType | undefined> {
  if (backend === null || backend === undefined) return 'ANSWERER';
  const found = await readBackend(sql, String(backend));
  // An id of another type has its fault already.
  if (found === undefined && backend !== '')
    check.fault('backendId', `there is no DnsBackend ${encodeId('DnsBackend', String(backend))}`, 'NOT_FOUND');
  return found?.type;
}

/** Locks the backend against deletion until the transaction ends. Refuses NOT_FOUND. */
export async function heldBackendType(tx: Transaction, { backend }: JsonObject): Promise<BackendType> {
  if (backend === null || backend === undefined) return 'ANSWERER';
  const id = String(backend);
  return (await holdBackend(tx, id))?.type ?? refuseUnknown('DnsBackend', 'backendId', encodeId('DnsBackend', id));
}

/** Whether names of one may be in the other. All zones of our own name servers count as one backend. */
export function isSameBackend(one: NamedBackend, other: NamedBackend): boolean {
  return one.type === other.type && (one.type === 'ANSWERER' || one.id === other.id);
}

interface NamedBackend {
  readonly id: string | null;
  readonly type: BackendType;
}
