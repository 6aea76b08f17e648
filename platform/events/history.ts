// The status history: the sequenced events, newest first. The stream reads the same rows; events without a sequence number are in
// neither.

import type { Sql, SqlValue } from '../database/database.ts';
import { marksFor } from '../database/sql.ts';
import type { SequencedEvent } from './feed.ts';

/** A sequenced event without the stream's cursor. */
export type PastEvent = Omit<SequencedEvent, 'cursor'>;

/** All given conditions must match; an empty list matches nothing. */
export interface HistoryFilter {
  /** UUIDs; 'all' also has events without a project. */
  readonly projects: 'all' | readonly string[];
  readonly kinds?: readonly string[];
  readonly subjectTypes?: readonly string[];
  readonly subject?: { readonly type: string; readonly id: string };
}

/** Whether an event passes the filter. */
export function matchesFilter(filter: HistoryFilter, event: PastEvent): boolean {
  const { projects, kinds, subjectTypes, subject } = filter;
  if (projects !== 'all' && (event.projectId === null || !projects.includes(event.projectId))) return false;
  if (kinds !== undefined && !kinds.includes(event.kind)) return false;
  if (subjectTypes !== undefined && !subjectTypes.includes(event.subjectType)) return false;
  return subject === undefined || (event.subjectType === subject.type && event.subjectId === subject.id);
}

/** At most `limit` events before `beforeSeq` (absent: the newest), newest first. */
export async function readHistory(
  db: Sql,
  filter: HistoryFilter,
  page: { readonly beforeSeq?: number; readonly limit: number },
): Promise<readonly PastEvent[]> {
  const { projects, kinds, subjectTypes, subject } = filter;
  const lists: [string, readonly string[]][] = [];
  if (projects !== 'all') lists.push(['project_id', projects]);
  if (kinds !== undefined) lists.push(['kind', kinds]);
  if (subjectTypes !== undefined) lists.push(['subject_type', subjectTypes]);
  if (subject !== undefined) lists.push(['subject_type', [subject.type]], ['subject_id', [subject.id]]);
  if (lists.some(([, values]) => values.length === 0)) return [];
  const conditions = lists.map(([column, values]) => `${column} IN (${marksFor(values)})`);
  const values: SqlValue[] = [page.beforeSeq ?? Number.MAX_SAFE_INTEGER, ...lists.flatMap(([, each]) => each)];
  return db.query<PastEvent>(
    `SELECT seq, event_id AS id, project_id AS projectId, kind, subject_type AS subjectType, subject_id AS subjectId,
            subject_version AS subjectVersion, from_status AS \`from\`, to_status AS \`to\`, reason,
            request_id AS requestId, at
       FROM status_change
      WHERE ${['seq < ?', ...conditions].join(' AND ')}
      ORDER BY seq DESC
      LIMIT ?`,
    [...values, page.limit],
  );
}
