// Effects of a status event on the conditions of alerts: a subject enters or leaves a condition.
import type { PastEvent } from '../../../../platform/events/event-table.ts';
import {
  type AlertCondition,
  type AlertConditionSpec,
  alertConditionNames,
  conditionSpec,
} from '../../spec/alert-conditions.ts';

interface SubjectChange {
  readonly condition: AlertCondition;
  readonly subjectType: string;
  /** UUID. */
  readonly subjectId: string;
  readonly reason: string | null;
}

/** RESTARTED: the wait begins again, with the same status. */
type SignalChange =
  | (SubjectChange & { readonly to: 'ON'; readonly status: string; readonly subjectName: string | null })
  | (SubjectChange & { readonly to: 'OFF' })
  | (SubjectChange & { readonly to: 'RESTARTED' });

type Told = Pick<PastEvent, 'kind' | 'subjectType' | 'subjectId' | 'to' | 'reason'>;

/** By kind: the conditions that its events affect. */
const conditionsByKind = Map.groupBy(
  alertConditionNames.flatMap((condition) => kindsOf(conditionSpec(condition)).map((kind) => ({ condition, kind }))),
  ({ kind }) => kind,
);

/** Kinds of rules and alerts. Their events trigger a new evaluation of stored signals. */
export const ownKinds: ReadonlySet<string> = new Set(['alertRule.state', 'alert.state']);

/** Deletes the project's signals. */
export const projectDeleted = 'project.deleted';

export function signalChanges(event: Told): readonly SignalChange[] {
  if (event.kind === 'alertRule.checkedIn')
    return [{ condition: 'CHECK_IN_LATE', ...subjectOf(event), to: 'RESTARTED', reason: event.reason }];
  return (conditionsByKind.get(event.kind) ?? []).flatMap(({ condition }) => changeOf(condition, event) ?? []);
}

type EndedSubject = Pick<SubjectChange, 'condition' | 'subjectType' | 'subjectId'>;

/**
 * Subjects that leave a condition if they are in it. Most subjects are in no condition, because every successful call emits such an event for its
 * known outcome.
 */
export function endedSubjects(events: readonly Told[]): readonly EndedSubject[] {
  return events.flatMap(signalChanges).filter(({ to }) => to === 'OFF');
}

/** The events, in order, that may change a signal or an alert. `standing`: ids of the ended subjects that are in a condition. */
export function eventsThatMatter<Event extends Told>(
  events: readonly Event[],
  standing: ReadonlySet<string>,
): readonly Event[] {
  const inCondition = new Set(standing);
  return events.filter((event) => {
    const changes = signalChanges(event);
    // A later event may end what this one begins.
    for (const { to, subjectId } of changes) if (to === 'ON') inCondition.add(subjectId);
    if (event.kind === projectDeleted || ownKinds.has(event.kind)) return true;
    return changes.some(({ to, subjectId }) => to !== 'OFF' || inCondition.has(subjectId));
  });
}

function changeOf(condition: AlertCondition, event: Told): SignalChange | undefined {
  const { signals, departures } = conditionSpec(condition);
  const { subjectType, kind, to, reason } = event;
  const named = { condition, ...subjectOf(event) };
  const gone = departures.some(
    (each) =>
      each.subjectType === subjectType &&
      each.kind === kind &&
      (each.value === undefined || each.value === to) &&
      (each.reason === undefined || each.reason === reason),
  );
  if (gone) return { ...named, to: 'OFF', reason: 'it was deleted' };
  const signal = signals.find((each) => each.subjectType === subjectType && each.kind === kind);
  if (signal?.begins.includes(to)) {
    const told = signal.reasonBeginsWithName ? namedReason(reason) : { subjectName: null, reason };
    return { ...named, to: 'ON', status: to, ...told };
  }
  return signal?.ends.includes(to) ? { ...named, to: 'OFF', reason } : undefined;
}

/** The reason has the form `NAME` or `NAME: why`. */
function namedReason(reason: string | null): { readonly subjectName: string | null; readonly reason: string | null } {
  const [name = '', ...why] = (reason ?? '').split(': ');
  return { subjectName: name === '' ? null : name.slice(0, 255), reason: why.length === 0 ? null : why.join(': ') };
}

function kindsOf({ signals, departures }: AlertConditionSpec): readonly string[] {
  return [...new Set([...signals, ...departures].map(({ kind }) => kind))];
}

function subjectOf({ subjectType, subjectId }: Told) {
  return { subjectType, subjectId };
}
