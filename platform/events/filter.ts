// The events that a reader requests: the same for the stream in memory and for both readers of the table.
import type { SqlValue } from '../database/database.ts';
import { marksFor } from '../database/sql.ts';

/** The fields of an event that a filter reads. */
export interface Filtered {
  readonly projectId: string | null;
  readonly kind: string;
  readonly subjectType: string;
  readonly subjectId: string;
}

/** All given conditions must match; an empty list matches nothing. */
export interface HistoryFilter {
  /** UUIDs; 'all' also has events without a project. */
  readonly projects: 'all' | readonly string[];
  readonly kinds?: readonly string[];
  readonly subjectTypes?: readonly string[];
  readonly subject?: { readonly type: string; readonly id: string };
}

/** Whether an event passes the filter. */
export function matchesFilter(filter: HistoryFilter, event: Filtered): boolean {
  const { projects, kinds, subjectTypes, subject } = filter;
  if (projects !== 'all' && (event.projectId === null || !projects.includes(event.projectId))) return false;
  if (kinds !== undefined && !kinds.includes(event.kind)) return false;
  if (subjectTypes !== undefined && !subjectTypes.includes(event.subjectType)) return false;
  return subject === undefined || (event.subjectType === subject.type && event.subjectId === subject.id);
}

export interface Conditions {
  readonly sql: readonly string[];
  readonly values: readonly SqlValue[];
}

/** The filter as conditions on rows of `status_change`; undefined: nothing matches. */
export function conditionsOf({ projects, kinds, subjectTypes, subject }: HistoryFilter): Conditions | undefined {
  const lists: [string, readonly string[]][] = [];
  if (projects !== 'all') lists.push(['project_id', projects]);
  if (kinds !== undefined) lists.push(['kind', kinds]);
  if (subjectTypes !== undefined) lists.push(['subject_type', subjectTypes]);
  if (subject !== undefined) lists.push(['subject_type', [subject.type]], ['subject_id', [subject.id]]);
  if (lists.some(([, values]) => values.length === 0)) return undefined;
  return {
    sql: lists.map(([column, values]) => `${column} IN (${marksFor(values)})`),
    values: lists.flatMap(([, values]) => values),
  };
}
