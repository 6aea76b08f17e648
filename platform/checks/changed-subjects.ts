// Which subjects of one type had status events since a cursor: what a tenant follows its targets by, as every change that
// matters to a check is told by an event in the transaction that made it.
import type { Database } from '../database/database.ts';
import { EventTable } from '../events/event-table.ts';

/** More than this at once: listing all is cheaper. */
const mostSubjects = 2_000;

/** To be read before the list that it belongs to. */
export async function subjectCursor(db: Database): Promise<string> {
  const { lastSeq, epoch } = await new EventTable(db).bounds();
  return `${epoch}/${lastSeq}`;
}

/** UUIDs; undefined when the events since are gone, were rewritten by a failover, or are too many. */
export async function changedSubjects(
  db: Database,
  subjectType: string,
  cursor: string,
): Promise<{ readonly ids: readonly string[]; readonly cursor: string } | undefined> {
  const [epochThen, seqThen] = cursor.split('/').map(Number);
  const { oldestSeq, lastSeq, epoch } = await new EventTable(db).bounds();
  if (epochThen !== epoch || seqThen === undefined || seqThen > lastSeq || seqThen < oldestSeq - 1) return undefined;
  const rows = await db.query<{ id: string }>(
    'SELECT DISTINCT subject_id AS id FROM status_change WHERE seq > ? AND seq <= ? AND subject_type = ? LIMIT ?',
    [seqThen, lastSeq, subjectType, mostSubjects + 1],
  );
  if (rows.length > mostSubjects) return undefined;
  return { ids: rows.map(({ id }) => id), cursor: `${epoch}/${lastSeq}` };
}
