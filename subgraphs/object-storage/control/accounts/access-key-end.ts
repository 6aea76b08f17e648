// Ends an access key: publishes the change to the clusters and emits an event. A restored backup can bring revoked keys back; they are
// revoked again.
import type { Transaction } from '../../../../platform/database/database.ts';
import { appendStatus } from '../../../../platform/events/append.ts';
import type { RevocableAccess } from '../../../../platform/restore/revived-access.ts';
import type { Wake } from '../../../../platform/work/wake.ts';
import { objectEvents } from '../events.ts';
import { lockFederation } from '../stores/federation-store.ts';
import { type AccessKeyRow, lockAccessKey, revokeAccessKey, tellRevoked } from './access-key-store.ts';

/** Call it in a transaction that has locked the federation, for a working key. */
export async function endAccessKey(
  tx: Transaction,
  wake: Wake,
  row: AccessKeyRow,
  reason: string | null = null,
): Promise<void> {
  await revokeAccessKey(tx, row.id);
  await tellRevoked(tx, wake, row);
  const subject = { projectId: row.projectId, subjectId: row.id, subjectVersion: row.version + 1, reason };
  const event = { ...subject, kind: 'objectAccessKey.state', from: 'WORKING', to: 'REVOKED' } as const;
  await appendStatus(tx, objectEvents, [event], wake);
}

export const accessKeys: RevocableAccess = {
  types: ['ObjectAccessKey'],
  kinds: ['objectAccessKey.state'],
  takenBy: ({ id, version, to }) =>
    to === 'REVOKED' ? [{ type: 'ObjectAccessKey', id, version, taken: 'revoked' }] : [],
  async takeAgain(tx, wake, { id }) {
    await lockFederation(tx);
    const row = await lockAccessKey(tx, id);
    if (row === undefined || row.revokedAt !== null) return undefined;
    await endAccessKey(tx, wake, row, 'revoked before the database was set back');
    return 'revoked';
  },
};
