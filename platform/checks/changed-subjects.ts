// Subjects of one type that had status events since a cursor. Check tenants use it to follow their targets: every change that
// matters to a check writes an event in its own transaction.
import type { Database } from '../database/database.ts';
import { EventTable } from '../events/event-table.ts';

/** Above this number, listing all targets is cheaper. */
const mostSubjects = 2_000;

/** Read it before the list that it belongs to. */
export async function subjectCursor(db: Database): Promise<string> {
  const { lastSeq, epoch } = await new EventTable(db).bounds();
  return `${epoch}/${lastSeq}`;
}

/** UUIDs. Undefined if the events since then were purged, were rewritten by a failover, or are too many. */
export async function changedSubjects(
  db: Database,
  subjectType: string,
  cursor: string,
): Promise<{ readonly ids: readonly string[]; readonly cursor: string } | undefined> {
  const [epochThen, seqThen] = cursor.split('/').map(Number);
  const { oldestSeq, lastSeq, epoch } = await new EventTable(db).bounds();
  if (epochThen !== epoch || seqThen === undefined || seqThen > lastSeq || seqThen < oldestSeq - 1) return undefined;
  if (seqThen === lastSeq) return { ids: [], cursor };
  const rows = await db.query<{ id: string }>(
    'SELECT DISTINCT subject_id AS id FROM status_change WHERE seq > ? AND seq <= ? AND subject_type = ? LIMIT ?',
    [seqThen, lastSeq, subjectType, mostSubjects + 1],
  );
  if (rows.length > mostSubjects) return undefined;
  return { ids: rows.map(({ id }) => id), cursor: `${epoch}/${lastSeq}` };
}
