// Checks one cluster's answer with an age (a NEAREST read) against all other answers. It must include everything that was acknowledged up
// to the time of its age, or something later, and nothing that was never written. It may have a value that no majority ever had, if the
// outcome of its write is unknown. Reported faults are certain, and open cases count as right.

/** A value that an operation left or found at a name, at some moment between its call and its answer. */
export interface Shown {
  readonly called: number;
  /** Infinity if there was no answer, or one that does not show whether it happened. */
  readonly answered: number;
  /** Each value is written once. Empty if there was no value. */
  readonly value: string;
  readonly isWrite: boolean;
}

export interface NearestRead {
  /** The answer includes everything that was acknowledged before this time. Undefined if no such time is known. */
  readonly asOf: number | undefined;
  readonly answered: number;
  /** Empty if nothing existed. */
  readonly value: string;
}

export type Untrue =
  | { readonly kind: 'NOBODY_WROTE_IT' }
  /** The answer lacks this value. */
  | { readonly kind: 'MISSING'; readonly value: string }
  /** The value that overwrote it. Empty for a deletion. */
  | { readonly kind: 'OVERWRITTEN'; readonly by: string };

export function untrue({ asOf, answered, value }: NearestRead, shown: readonly Shown[]): Untrue | undefined {
  if (value !== '' && !shown.some((each) => each.isWrite && each.value === value && each.called <= answered))
    return { kind: 'NOBODY_WROTE_IT' };
  if (asOf === undefined) return undefined;
  const before = shown.filter((each) => each.answered < asOf);
  if (value === '') {
    const deletions = shown.filter((each) => each.isWrite && each.value === '' && each.called < answered);
    const there = before.find((each) => each.value !== '' && !deletions.some((other) => other.answered > each.called));
    return there && { kind: 'MISSING', value: there.value };
  }
  // It had happened when it was answered, or when a read found it.
  const happened = Math.min(...shown.filter((each) => each.value === value).map((each) => each.answered));
  const after = before.filter((each) => each.value !== value && each.called > happened);
  const last = after.toSorted((one, other) => other.answered - one.answered)[0];
  return last && { kind: 'OVERWRITTEN', by: last.value };
}
