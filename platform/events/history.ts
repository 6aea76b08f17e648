// The status history: the sequenced events, newest first. The stream reads the same rows; events without a sequence number are in
// neither.

import type { Sql, SqlValue } from '../database/database.ts';
import type { PastEvent } from './event-table.ts';
import { conditionsOf, type HistoryFilter } from './filter.ts';

/** SQL: true while an event of the subject is kept. `id`: the column of its UUID. */
export function isToldSql(subjectType: string, id: string): string {
  return `EXISTS (SELECT 1 FROM status_change told WHERE told.subject_type = '${subjectType}' AND told.subject_id = ${id})`;
}

/** At most `limit` events before `beforeSeq` (absent: the newest), newest first. */
export async function readHistory(
  db: Sql,
  filter: HistoryFilter,
  page: { readonly beforeSeq?: number; readonly limit: number },
): Promise<readonly PastEvent[]> {
  const conditions = conditionsOf(filter);
  if (conditions === undefined) return [];
  const values: SqlValue[] = [page.beforeSeq ?? Number.MAX_SAFE_INTEGER, ...conditions.values];
  return db.query<PastEvent>(
    `SELECT seq, event_id AS id, project_id AS projectId, kind, subject_type AS subjectType, subject_id AS subjectId,
            subject_version AS subjectVersion, from_status AS \`from\`, to_status AS \`to\`, reason,
            request_id AS requestId, at
       FROM status_change
      WHERE ${['seq < ?', ...conditions.sql].join(' AND ')}
      ORDER BY seq DESC
      LIMIT ?`,
    [...values, page.limit],
  );
}
