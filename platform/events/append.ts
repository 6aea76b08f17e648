// Writing status events: in the same transaction as the state that changed, after the subject's own row, so that the
// events of one subject are in the order of its versions (invariant 3 of the event log).
import type { SqlValue, Transaction } from '../database/database.ts';
import { newUuid } from '../ids.ts';
import { currentRequestId } from '../log.ts';
import type { Wake } from '../wake.ts';

/** One change of one subject's status. */
export interface StatusEvent {
  /** UUID; null: only administrators see it. */
  readonly projectId: string | null;
  /** For example operation.state. */
  readonly kind: string;
  /** Type in the graph, for example Operation. */
  readonly subjectType: string;
  /** UUID. */
  readonly subjectId: string;
  /** The subject's version after the change. */
  readonly subjectVersion: number;
  /** Null at creation. */
  readonly from: string | null;
  readonly to: string;
  /** For people; cut at 1024 characters. */
  readonly reason?: string | null;
  /** Default: the request under way. */
  readonly requestId?: string | null;
}

const columns =
  'event_id, project_id, kind, subject_type, subject_id, subject_version, from_status, to_status, reason, request_id';
const placeholders = '(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)';

/**
 * Writes events in the caller's transaction, which has updated (or locked) the subject's row before, and wakes the
 * sequencer once it is committed.
 */
export async function appendStatus(tx: Transaction, events: readonly StatusEvent[], wake: Wake): Promise<void> {
  if (events.length === 0) return;
  const values: SqlValue[] = events.flatMap((event) => [
    newUuid(),
    event.projectId,
    event.kind,
    event.subjectType,
    event.subjectId,
    event.subjectVersion,
    event.from,
    event.to,
    event.reason?.slice(0, 1024) ?? null,
    event.requestId ?? currentRequestId() ?? null,
  ]);
  const rows = events.map(() => placeholders).join(', ');
  await tx.execute(`INSERT INTO status_change (${columns}) VALUES ${rows}`, values);
  tx.afterCommit(() => wake.notify('status'));
}
