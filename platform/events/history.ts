// The status history: the sequenced events. The stream reads the same rows; events without a sequence number are in
// neither.

import type { Condition, Sql } from '../database/database.ts';
import { allOf, type IndexRange, is, isOneOf, valuesInRange } from '../database/range-search.ts';
import { marksFor } from '../database/sql.ts';
import type { OrderedSearch } from '../pages/entity-list.ts';
import { type EventRow, eventColumns, type PastEvent, toPastEvent } from './event-table.ts';
import { cmpObjectIs, type HistoryFilter } from './filter.ts';

/** SQL: true while an event of the subject is kept. `id`: the column of its UUID. */
export function isToldSql(subjectType: string, id: string): string {
  return `EXISTS (SELECT 1 FROM status_change told WHERE told.subject_type = '${subjectType}' AND told.subject_id = ${id})`;
}

/** By sequence number. */
export async function readEvents(db: Sql, seqs: readonly string[]): Promise<ReadonlyMap<string, PastEvent>> {
  const rows = await db.query<EventRow>(
    `SELECT ${eventColumns} FROM status_change WHERE seq IN (${marksFor(seqs)})`,
    seqs.map(Number),
  );
  return new Map(rows.map((row) => [String(row.seq), toPastEvent(row)]));
}

/**
 * Events of a subject, of a CMP object in each project, of projects, or all: each of these is in the order of an index. Looks at a
 * bounded number of events.
 */
export async function historySearch(db: Sql, filter: HistoryFilter): Promise<OrderedSearch> {
  const { projects, kinds, subjectTypes, subject, cmpObject } = filter;
  const events = { table: 'status_change', key: ['seq'], numeric: true };
  const inProjects = projects === 'all' ? undefined : isOneOf('project_id', projects);
  const ofCmpObject = cmpObject && cmpObjectIs(cmpObject);
  const rest = [isOneOf('kind', kinds), isOneOf('subject_type', subjectTypes)];
  if (subject !== undefined) {
    const ofSubject = allOf([is('subject_type', subject.type), is('subject_id', subject.id)]);
    const ranges = [sequenced('status_change_subject_seq_idx', ofSubject)];
    return { ...events, ranges, rest: allOf([inProjects, ofCmpObject, ...rest]) };
  }
  if (ofCmpObject !== undefined) {
    const index = 'status_change_cmp_seq_idx';
    const among =
      projects === 'all'
        ? await valuesInRange(db, 'status_change', 'project_id', { index, condition: ofCmpObject })
        : projects;
    const ranges = among.map((project) => sequenced(index, ofCmpObject, is('project_id', project)));
    return { ...events, ranges, rest: allOf(rest) };
  }
  const ranges =
    projects === 'all'
      ? [sequenced('status_change_seq_key')]
      : projects.map((project) => sequenced('status_change_project_seq_idx', is('project_id', project)));
  return { ...events, ranges, rest: allOf(rest) };
}

function sequenced(index: string, ...conditions: readonly (Condition | undefined)[]): IndexRange {
  const isSequenced = { sql: 'seq IS NOT NULL', values: [] };
  return { index, condition: allOf([...conditions, isSequenced]) ?? isSequenced };
}

export interface EventOfKind {
  readonly seq: number;
  readonly kind: string;
  /** The subject's UUID. */
  readonly id: string;
  /** The subject's version. */
  readonly version: number;
  readonly from: string | null;
  readonly to: string;
  readonly reason: string | null;
}

/** At most `most` events of some kinds, oldest first. Looks at all events between `after` (not included) and `until`. */
export function readEventsOfKinds(
  db: Sql,
  kinds: readonly string[],
  range: { readonly after: number; readonly until: number; readonly most: number },
): Promise<readonly EventOfKind[]> {
  return db.query<EventOfKind>(
    `SELECT seq, kind, subject_id AS id, subject_version AS version, from_status AS \`from\`, to_status AS \`to\`, reason
     FROM status_change WHERE seq > ? AND seq <= ? AND kind IN (${marksFor(kinds)}) ORDER BY seq LIMIT ?`,
    [range.after, range.until, ...kinds, range.most],
  );
}
