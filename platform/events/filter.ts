// The events that a reader requests: the same for the stream in memory and for both readers of the table.
import { always, type Condition } from '../database/database.ts';
import { allOf, is, isOneOf } from '../database/range-search.ts';
import { type CmpObjectKey, isSameCmpObject } from '../pages/cmp-object.ts';

/** The fields of an event that a filter reads. */
interface Filtered {
  readonly projectId: string | null;
  readonly kind: string;
  readonly subjectType: string;
  readonly subjectId: string;
  readonly cmpObject: CmpObjectKey | null;
}

/** All given conditions must match; an empty list matches nothing. */
export interface HistoryFilter {
  /** UUIDs; 'all' also has events without a project. */
  readonly projects: 'all' | readonly string[];
  readonly kinds?: readonly string[];
  readonly subjectTypes?: readonly string[];
  readonly subject?: { readonly type: string; readonly id: string };
  readonly cmpObject?: CmpObjectKey;
}

/** Whether an event passes the filter. */
export function matchesFilter(filter: HistoryFilter, event: Filtered): boolean {
  const { projects, kinds, subjectTypes, subject, cmpObject } = filter;
  if (projects !== 'all' && (event.projectId === null || !projects.includes(event.projectId))) return false;
  if (kinds !== undefined && !kinds.includes(event.kind)) return false;
  if (subjectTypes !== undefined && !subjectTypes.includes(event.subjectType)) return false;
  if (cmpObject !== undefined && !isSameCmpObject(cmpObject, event.cmpObject)) return false;
  return subject === undefined || (event.subjectType === subject.type && event.subjectId === subject.id);
}

/** The filter as a condition on rows of `status_change`; undefined if nothing matches. */
export function conditionOf(filter: HistoryFilter): Condition | undefined {
  const { projects, kinds, subjectTypes, subject, cmpObject } = filter;
  if ([projects, kinds, subjectTypes].some((values) => values?.length === 0)) return undefined;
  const conditions = [
    projects === 'all' ? undefined : isOneOf('project_id', projects),
    isOneOf('kind', kinds),
    isOneOf('subject_type', subjectTypes),
    is('subject_type', subject?.type),
    is('subject_id', subject?.id),
    cmpObject && cmpObjectIs(cmpObject),
  ];
  return allOf(conditions) ?? always;
}

/** Condition: the event is about this CMP object. */
export function cmpObjectIs({ namespace, type, externalId }: CmpObjectKey): Condition {
  return { sql: 'cmp_namespace = ? AND cmp_type = ? AND cmp_id = ?', values: [namespace, type, externalId] };
}
