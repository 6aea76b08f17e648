// Turns the caller's filter into a filter of events: never more than the caller's own projects.
import type { SubscriptionStatusChangesArgs } from '../../../generated/graph/system.ts';
import { projectsFor } from '../../../platform/authorise.ts';
import { CodedError } from '../../../platform/errors.ts';
import type { HistoryFilter } from '../../../platform/events/filter.ts';
import type { EventKinds } from '../../../platform/events/kinds.ts';
import type { Identity } from '../../../platform/identity.ts';
import { decodeId } from '../../../platform/ids.ts';

/** The arguments that filter, the same for the stream and the history. */
type StatusFilter = Omit<SubscriptionStatusChangesArgs, 'after'>;

const mostEntries = 100;
const longestEntry = 64;

/**
 * Another project's id, or an unknown one, matches nothing. Throws INVALID_INPUT for lists that are too long, and for unknown
 * kinds of events and types of subjects.
 */
export function eventFilter(identity: Identity, filter: StatusFilter, declared: EventKinds): HistoryFilter {
  const { projectId, kinds, subjectId, subjectTypes } = filter;
  const subject = subjectId == null ? undefined : decodeId(subjectId);
  const projects = subjectId != null && subject === undefined ? [] : projectsFor(identity, projectId);
  return {
    projects,
    ...(kinds == null ? {} : { kinds: known('kinds', kinds, Object.keys(declared)) }),
    ...(subjectTypes == null
      ? {}
      : {
          subjectTypes: known(
            'subjectTypes',
            subjectTypes,
            Object.values(declared).map(({ subject }) => subject),
          ),
        }),
    ...(subject === undefined ? {} : { subject: { type: subject.type, id: subject.key } }),
  };
}

function bounded(field: string, values: readonly string[]): readonly string[] {
  if (values.length <= mostEntries && values.every((value) => value.length <= longestEntry)) return values;
  const message = `${field}: at most ${mostEntries} entries of at most ${longestEntry} characters are allowed.`;
  throw new CodedError('INVALID_INPUT', message);
}

function known(field: string, values: readonly string[], names: readonly string[]): readonly string[] {
  const wrong = bounded(field, values).find((value) => !names.includes(value));
  if (wrong === undefined) return values;
  throw new CodedError(
    'INVALID_INPUT',
    `${field}: no status event has "${wrong}"; docs/events.md lists the valid values.`,
  );
}
