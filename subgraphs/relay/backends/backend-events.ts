// Status events of backends, and the one way to change a backend's row together with its events.
import type { Transaction } from '../../../platform/database/database.ts';
import { appendStatus, type StatusEvent } from '../../../platform/events/append.ts';
import type { Wake } from '../../../platform/wake.ts';
import { type BackendChange, type BackendRow, updateBackend } from './backend-store.ts';

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
  if (events.length === 0)
    events.push(backendEvent(row, 'backend.changed', row.provisioningStatus, row.provisioningStatus, reason));
  await appendStatus(tx, events, wake);
  // Whoever holds the backend reads it again.
  tx.afterCommit(() => wake.notify(`backend/${row.id}`));
  return true;
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
