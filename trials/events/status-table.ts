// The reference for the gateway's trial: the final events in the table.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Database } from '../../platform/database/database.ts';
import type { TableRow } from './verdict.ts';

const deadlineMs = 30_000;

/** A project's events after `after`, in order, once all are sequenced. Throws if some are never sequenced, or if numbers are missing. */
export async function sequencedTable(db: Database, projectId: string, after = 0): Promise<readonly TableRow[]> {
  const untilMs = performance.now() + deadlineMs;
  for (;;) {
    const sql =
      'SELECT COUNT(*) AS events, COUNT(seq) AS sequenced, MIN(seq) AS lowest, MAX(seq) AS highest FROM status_change';
    const [state] = await db.query<Record<'events' | 'sequenced' | 'lowest' | 'highest', number>>(sql);
    if (state === undefined) throw new Error('counting events gave no answer');
    const { events, sequenced, lowest, highest } = state;
    if (sequenced === events) {
      if (highest - lowest + 1 !== events)
        throw new Error(`the table has ${events} events from ${lowest} to ${highest}`);
      break;
    }
    if (performance.now() > untilMs) throw new Error(`${events - sequenced} events were not sequenced`);
    await sleep(20);
  }
  return db.query<TableRow>(
    `SELECT seq, event_id AS eventId, kind, subject_type AS subjectType, subject_id AS subjectId,
            subject_version AS version
       FROM status_change WHERE project_id = ? AND seq > ? ORDER BY seq`,
    [projectId, after],
  );
}
