// From the filter a caller sends to the events the caller gets: never more than the caller's own projects.
import type { StatusChangeFilter } from '../../../generated/graph/system.ts';
import { projectsFor } from '../../../platform/authorise.ts';
import { CodedError } from '../../../platform/errors.ts';
import type { HistoryFilter } from '../../../platform/events/history.ts';
import type { Identity } from '../../../platform/identity.ts';
import { decodeId } from '../../../platform/ids.ts';

const mostEntries = 100;
const longestEntry = 64;

/** Another project's id, or an unknown one, matches nothing. Throws INVALID_INPUT for lists that are too long. */
export function eventFilter(identity: Identity, wish: StatusChangeFilter | null | undefined): HistoryFilter {
  const { projectId, kinds, subjectId, subjectTypes } = wish ?? {};
  const subject = subjectId == null ? undefined : decodeId(subjectId);
  const projects = subjectId != null && subject === undefined ? [] : projectsFor(identity, projectId);
  return {
    projects,
    ...(kinds == null ? {} : { kinds: bounded('kinds', kinds) }),
    ...(subjectTypes == null ? {} : { subjectTypes: bounded('subjectTypes', subjectTypes) }),
    ...(subject === undefined ? {} : { subject: { type: subject.type, id: subject.key } }),
  };
}

function bounded(field: string, values: readonly string[]): readonly string[] {
  if (values.length <= mostEntries && values.every((value) => value.length <= longestEntry)) return values;
  const message = `filter.${field}: at most ${mostEntries} entries of at most ${longestEntry} characters are allowed.`;
  throw new CodedError('INVALID_INPUT', message);
}
