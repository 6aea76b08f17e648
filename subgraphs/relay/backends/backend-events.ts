// Status events of backends, and the one way to change a backend's row together with its events.
import type { Transaction } from '../../../platform/database/database.ts';
import { appendStatus, type StatusEvent } from '../../../platform/events/append.ts';
import type { Wake } from '../../../platform/wake.ts';
import type { BackendRow } from './backend.ts';
import { type BackendChange, updateBackend } from './backend-store.ts';

const kinds = {
  provisioningStatus: 'backend.provisioningStatus',
  operatingStatus: 'backend.operatingStatus',
  circuitState: 'backend.circuit',
} as const;

/** Changes a row that was just read; false when it moved on. One event for each status that changed, or `backend.changed`. */
export async function changeBackend(
  tx: Transaction,
  wake: Wake,
  row: BackendRow,
  change: BackendChange,
  reason: string | null = null,
): Promise<boolean> {
  if (!(await updateBackend(tx, row, change))) return false;
  const events: StatusEvent[] = [];
  for (const [field, kind] of Object.entries(kinds) as [keyof typeof kinds, string][]) {
    const to = change[field];
    if (to === undefined || to === row[field]) continue;
    events.push(backendEvent(row, kind, row[field], String(to), reason));
  }
  events.push(...identityEvents(row, change, reason));
  if (events.length === 0)
    events.push(backendEvent(row, 'backend.changed', row.provisioningStatus, row.provisioningStatus, reason));
  await appendStatus(tx, events, wake);
  // Whoever holds the backend reads it again.
  tx.afterCommit(() => wake.notify(`backend/${row.id}`));
  return true;
}

/** What the device proves itself with: one was accepted, or another one was shown. */
function identityEvents(row: BackendRow, change: BackendChange, reason: string | null): StatusEvent[] {
  const kind = 'backend.identity';
  const events: StatusEvent[] = [];
  for (const [field, to] of [
    ['hostKeySha256', 'HOST_KEY_ACCEPTED'],
    ['certificateSha256', 'CERTIFICATE_ACCEPTED'],
  ] as const)
    if (change[field] !== undefined && change[field] !== row[field])
      events.push(backendEvent(row, kind, null, to, reason));
  const { presentedKind, presentedSha256 } = change;
  if (presentedSha256 != null && presentedSha256 !== row.presentedSha256)
    events.push(backendEvent(row, kind, null, `${presentedKind}_PRESENTED`, `it shows ${presentedSha256}`));
  return events;
}

/** What of a change tells of a failure in which the device showed something that is not accepted. */
export function presentedIn(failure: {
  readonly code: string;
  readonly presented?: string;
}): Pick<BackendChange, 'presentedKind' | 'presentedSha256'> {
  if (failure.presented === undefined || failure.presented === '') return {};
  const presentedKind = failure.code.startsWith('HOST_KEY') ? 'HOST_KEY' : 'CERTIFICATE';
  return { presentedKind, presentedSha256: failure.presented };
}

export function backendEvent(
  row: Pick<BackendRow, 'id' | 'projectId' | 'version'>,
  kind: string,
  from: string | null,
  to: string,
  reason: string | null,
): StatusEvent {
  return {
    projectId: row.projectId,
    kind,
    subjectType: 'Backend',
    subjectId: row.id,
    subjectVersion: row.version + 1,
    from,
    to,
    reason,
  };
}
