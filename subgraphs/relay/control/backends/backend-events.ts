// Status events of backends, and the only function that changes a backend's row together with its events.
import type { Transaction } from '../../../../platform/database/database.ts';
import { appendStatus } from '../../../../platform/events/append.ts';
import type { Wake } from '../../../../platform/work/wake.ts';
import { type RelayEvent, relayEvents } from '../events.ts';
import type { BackendRow } from './backend.ts';
import { type BackendChange, updateBackend } from './backend-store.ts';

/** Changes a row that was just read. Returns false if it has changed since. One event for each changed status, or `backend.changed`. */
export async function changeBackend(
  tx: Transaction,
  wake: Wake,
  row: BackendRow,
  change: BackendChange,
  reason: string | null = null,
): Promise<boolean> {
  if (!(await updateBackend(tx, row, change))) return false;
  const events: RelayEvent[] = [];
  const subject = subjectOf(row, reason);
  const { provisioningStatus, operatingStatus, circuitState } = change;
  if (provisioningStatus === 'DELETED')
    events.push({ ...subject, kind: 'backend.provisioningStatus', from: 'ACTIVE', to: 'DELETED' });
  else if (provisioningStatus !== undefined && provisioningStatus !== row.provisioningStatus)
    events.push({ ...subject, kind: 'backend.enabled', from: usedOf(row), to: provisioningStatus });
  if (operatingStatus !== undefined && operatingStatus !== row.operatingStatus)
    events.push({ ...subject, kind: 'backend.operatingStatus', from: row.operatingStatus, to: operatingStatus });
  if (circuitState !== undefined && circuitState !== row.circuitState)
    events.push({ ...subject, kind: 'backend.circuit', from: row.circuitState, to: circuitState });
  events.push(...identityEvents(row, change, reason));
  if (events.length === 0) events.push({ ...subject, kind: 'backend.changed', from: usedOf(row), to: usedOf(row) });
  await appendStatus(tx, relayEvents, events, wake);
  // The process that holds the backend reads it again.
  tx.afterCommit(() => wake.notify(`backend/${row.id}/changed`));
  return true;
}

function usedOf({ provisioningStatus }: BackendRow): 'ENABLED' | 'DISABLED' {
  return provisioningStatus === 'ENABLED' ? 'ENABLED' : 'DISABLED';
}

/** The device's proof of identity: one was accepted, or a different one was presented. */
function identityEvents(row: BackendRow, change: BackendChange, reason: string | null): RelayEvent[] {
  const kind = 'backend.identity';
  const subject = subjectOf(row, reason);
  const events: RelayEvent[] = [];
  for (const [field, to] of [
    ['hostKeySha256', 'HOST_KEY_ACCEPTED'],
    ['certificateSha256', 'CERTIFICATE_ACCEPTED'],
  ] as const)
    if (change[field] != null && change[field] !== row[field]) events.push({ ...subject, kind, from: null, to });
  const { presentedKind, presentedSha256 } = change;
  if (presentedSha256 != null && presentedSha256 !== row.presentedSha256) {
    const to = presentedKind === 'HOST_KEY' ? 'HOST_KEY_PRESENTED' : 'CERTIFICATE_PRESENTED';
    events.push({ ...subject, kind, from: null, to, reason: `it presented ${presentedSha256}` });
  }
  return events;
}

/** The part of an event about a failure in which the device presented a key or certificate that is not accepted. */
export function presentedIn(failure: {
  readonly code: string;
  readonly presented?: string;
}): Pick<BackendChange, 'presentedKind' | 'presentedSha256'> {
  if (failure.presented === undefined || failure.presented === '') return {};
  const presentedKind = failure.code.startsWith('HOST_KEY') ? 'HOST_KEY' : 'CERTIFICATE';
  return { presentedKind, presentedSha256: failure.presented };
}

/** The event for a newly registered backend. */
export function registeredEvent(row: Pick<BackendRow, 'id' | 'projectId'>) {
  const subject = subjectOf({ ...row, version: 0 }, null);
  return { ...subject, kind: 'backend.provisioningStatus', from: null, to: 'ACTIVE' } as const;
}

/** The common part of all events of a change. */
function subjectOf(row: Pick<BackendRow, 'id' | 'projectId' | 'version'>, reason: string | null) {
  return { projectId: row.projectId, subjectId: row.id, subjectVersion: row.version + 1, reason };
}
