// The conditions by which a list of the audit trail is narrowed. An index finds the entries of one object; the others are checked on a
// bounded number of entries for each page.
import type { Condition } from '../database/database.ts';
import { allOf, anyOf, is, isOneOf } from '../database/range-search.ts';
import { CodedError } from '../errors/errors.ts';
import { containing, type ListFilter, type ListTable } from '../pages/entity-list.ts';
import { decodeId } from '../values/ids.ts';
import { type AuditEntry, auditList, auditOfSubjectList } from './trail.ts';

/** Only entries that match all. A field that is null or absent matches all entries. */
interface AuditFilter {
  /** A part of the name, upper or lower case. */
  readonly actorName?: string | null | undefined;
  /** A part of the mutation's name, upper or lower case. */
  readonly action?: string | null | undefined;
  /** Names of mutations. */
  readonly exceptActions?: readonly string[] | null | undefined;
  /** A global id. */
  readonly subjectId?: string | null | undefined;
  readonly outcomes?: readonly AuditEntry['outcome'][] | null | undefined;
  /** The product's id of the request, or the caller's. */
  readonly requestId?: string | null | undefined;
  readonly recordedFrom?: Date | null | undefined;
  readonly recordedBefore?: Date | null | undefined;
}

const longestAction = 64;
const mostExcepted = 20;
const longestRequestId = 64;

/** The list whose index finds the entries, and its conditions. `projects`: whose entries the caller may see. Throws INVALID_INPUT. */
export function auditSearch(
  filter: AuditFilter,
  projects: ListFilter['projects'],
): { readonly list: ListTable } & Pick<ListFilter, 'projects' | 'within' | 'rest'> {
  const rest = checkedOf(filter);
  if (filter.subjectId == null) return { list: auditList, projects, rest };
  const ofProjects = isOneOf('project_id', projects === 'all' ? undefined : projects);
  return {
    ...{ list: auditOfSubjectList, projects: 'all', within: about(filter.subjectId) },
    rest: allOf([ofProjects, rest]),
  };
}

function checkedOf(filter: AuditFilter): Condition | undefined {
  const { actorName, action, exceptActions, outcomes, requestId, recordedFrom, recordedBefore } = filter;
  return allOf([
    actorName == null ? undefined : containing('actor_name', 'actorName', actorName),
    action == null ? undefined : containing('action', 'action', action, longestAction),
    noneOf(exceptActions ?? []),
    isOneOf('outcome', outcomes ?? undefined),
    requestId == null ? undefined : ofRequest(requestId),
    recordedFrom == null ? undefined : { sql: 'at >= ?', values: [recordedFrom] },
    recordedBefore == null ? undefined : { sql: 'at < ?', values: [recordedBefore] },
  ]);
}

function noneOf(actions: readonly string[]): Condition | undefined {
  if (actions.length > mostExcepted)
    throw new CodedError(
      'INVALID_INPUT',
      `exceptActions: ${actions.length} are too many; give at most ${mostExcepted}.`,
    );
  return allOf(actions.map((action) => ({ sql: 'action <> ?', values: [action] })));
}

/** An id that is none names no object. */
function about(subjectId: string): Condition | undefined {
  const named = decodeId(subjectId);
  if (named === undefined) return anyOf([]);
  return allOf([is('subject_type', named.type), is('subject_id', named.key)]);
}

function ofRequest(requestId: string): Condition {
  if (requestId.length > longestRequestId)
    throw new CodedError('INVALID_INPUT', `requestId: it is too long; give at most ${longestRequestId} characters.`);
  return anyOf(['request_id', 'caller_request_id'].map((column) => ({ sql: `${column} = ?`, values: [requestId] })));
}
