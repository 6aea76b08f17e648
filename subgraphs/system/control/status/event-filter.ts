// Turns the caller's filter into a filter of events, limited to the caller's own projects.
import type { CmpObjectInput, SubscriptionStatusChangesArgs } from '../../../../generated/graph/system.ts';
import type { Identity } from '../../../../platform/caller/identity.ts';
import { CodedError } from '../../../../platform/errors/errors.ts';
import type { HistoryFilter } from '../../../../platform/events/filter.ts';
import type { EventKinds } from '../../../../platform/events/kinds.ts';
import { projectsFor } from '../../../../platform/input/authorise.ts';
import { type CmpObjectKey, cmpObjectOf, cmpObjectProblems } from '../../../../platform/pages/cmp-object.ts';
import type { OutsideNodes } from '../../../../platform/process/subgraph-row.ts';
import { decodeId } from '../../../../platform/values/ids.ts';
import { isOutsideKind } from './outside-kinds.ts';

/** The arguments that filter, the same for the stream and the history. */
type StatusFilter = Omit<SubscriptionStatusChangesArgs, 'after'>;

/** Values that a filter may contain. */
interface KnownEvents {
  readonly declared: EventKinds;
  readonly outside: OutsideNodes;
}

const mostEntries = 100;
const longestEntry = 64;

/**
 * Another project's id, or an unknown one, matches nothing. Throws INVALID_INPUT for lists that are too long, for unknown kinds
 * of events and types of subjects, and for a malformed CMP object.
 */
export function eventFilter(
  identity: Identity,
  filter: StatusFilter,
  { declared, outside }: KnownEvents,
): HistoryFilter {
  const { projectId, kinds, subjectId, subjectTypes, cmpObject } = filter;
  const subject = subjectId == null ? undefined : decodeId(subjectId);
  const projects = subjectId != null && subject === undefined ? [] : projectsFor(identity, projectId);
  return {
    projects,
    ...(kinds == null
      ? {}
      : { kinds: known('kinds', kinds, (kind) => Object.hasOwn(declared, kind) || isOutsideKind(outside, kind)) }),
    ...(subjectTypes == null
      ? {}
      : {
          subjectTypes: known(
            'subjectTypes',
            subjectTypes,
            (type) =>
              Object.values(declared).some(({ subject }) => subject === type) ||
              [...outside.values()].some((types) => types.includes(type)),
          ),
        }),
    ...(subject === undefined ? {} : { subject: { type: subject.type, id: subject.key } }),
    ...(cmpObject == null ? {} : { cmpObject: validCmpObject(cmpObject) }),
  };
}

function validCmpObject(input: CmpObjectInput): CmpObjectKey {
  const key = cmpObjectOf(input);
  const problem = cmpObjectProblems(key)[0];
  if (problem === undefined) return key;
  throw new CodedError('INVALID_INPUT', `cmpObject.${problem.message}`, { field: ['cmpObject', problem.field] });
}

function bounded(field: string, values: readonly string[]): readonly string[] {
  if (values.length <= mostEntries && values.every((value) => value.length <= longestEntry)) return values;
  const message = `${field}: at most ${mostEntries} entries of at most ${longestEntry} characters are allowed.`;
  throw new CodedError('INVALID_INPUT', message);
}

function known(field: string, values: readonly string[], isKnown: (value: string) => boolean): readonly string[] {
  const wrong = bounded(field, values).find((value) => !isKnown(value));
  if (wrong === undefined) return values;
  throw new CodedError(
    'INVALID_INPUT',
    `${field}: no status event has "${wrong}"; docs/events.md lists the valid values, and docs/extending.md those of other subgraphs.`,
  );
}
