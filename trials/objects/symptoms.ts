// Describes faults in the answers about a name, in words that help to find the cause. Each fault is certain by itself. Whether all answers
// together are consistent with a register is a separate check (register-check.ts).
import { shownBy, writes } from '../objects-model/history.ts';
import { isUnknown } from '../objects-model/linearizable.ts';
import { type NearestRead, type Untrue, untrue } from '../objects-model/nearest.ts';
import type { Entry } from './history.ts';

type Symptom = 'lost' | 'stale' | 'resurrected';

export interface Found {
  readonly symptom: Symptom;
  readonly what: string;
}

export function symptomsOf(history: readonly Entry[]): readonly Found[] {
  const writers = new Map<string, Entry>();
  const changes = history.filter(({ step }) => writes(step) !== undefined);
  for (const entry of changes) writers.set(writes(entry.step) ?? '', entry);
  const told = changes.filter((entry) => !isUnknown(entry));
  /** A write has happened once it was answered, or once a read saw its value. */
  const happenedMs = new Map<string, number>();
  for (const { step, answered } of history) {
    const value = step.kind === 'read' ? step.got : writes(step);
    if (value !== undefined) happenedMs.set(value, Math.min(answered, happenedMs.get(value) ?? answered));
  }
  return history.flatMap((read): readonly Found[] => {
    if (read.step.kind !== 'read') return [];
    const { got } = read.step;
    if (got === undefined) {
      const before = told.find((put) => {
        if (writes(put.step) === '' || put.answered >= read.called) return false;
        return !changes.some(
          (other) => writes(other.step) === '' && other.called < read.answered && other.answered > put.called,
        );
      });
      if (before === undefined) return [];
      return [{ symptom: 'lost', what: `nothing was there, and nobody had deleted ${writes(before.step)}` }];
    }
    const writer = writers.get(got);
    if (writer === undefined || writer.called > read.answered)
      return [{ symptom: 'stale', what: `${got} was there, and nobody had written it` }];
    const overtaken = told.filter(
      ({ called, answered }) => called > (happenedMs.get(got) ?? 0) && answered < read.called,
    );
    const last = overtaken.toSorted((one, other) => other.answered - one.answered)[0];
    if (last === undefined) return [];
    const value = writes(last.step);
    return value === ''
      ? [{ symptom: 'resurrected', what: `${got} was there after it had been deleted` }]
      : [{ symptom: 'stale', what: `${got} was there after ${value} had been written` }];
  });
}

/** Used for answers of one cluster. */
export function symptomsOfNearest(history: readonly Entry[], reads: readonly NearestRead[]): readonly Found[] {
  const shown = history.flatMap(shownBy);
  return reads.flatMap((read) => {
    const found = untrue(read, shown);
    return found === undefined ? [] : [symptomOf(read, found)];
  });
}

function symptomOf({ value, asOf, answered }: NearestRead, found: Untrue): Found {
  const age = asOf === undefined ? 'of no known age' : `as of ${Math.round(answered - asOf)} ms before`;
  const had = `one cluster, ${age}, had ${value === '' ? 'nothing' : value}`;
  switch (found.kind) {
    case 'NOBODY_WROTE_IT':
      return { symptom: 'stale', what: `${had}, and nobody had written it` };
    case 'MISSING':
      return { symptom: 'lost', what: `${had}, and nobody had deleted ${found.value}` };
    case 'OVERWRITTEN':
      return found.by === ''
        ? { symptom: 'resurrected', what: `${had} after it had been deleted` }
        : { symptom: 'stale', what: `${had} after ${found.by} had been written` };
  }
}
