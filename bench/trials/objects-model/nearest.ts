// What is wrong with one cluster's answer of an age (a NEAREST read), by what all others were told. It has whatever was acknowledged up to the
// moment that its age says, or something later; and nothing that nobody wrote. It may have what no majority ever had, if its write's fate is
// unknown. All that is found is certain; what is left open is taken for right.

/** What an operation on a name left there, or met there, at some moment between its call and its answer. */
export interface Shown {
  readonly called: number;
  /** Infinity: no answer, or one that leaves open whether it happened. */
  readonly answered: number;
  /** Each is written once. Empty: nothing is there. */
  readonly value: string;
  readonly isWrite: boolean;
}

export interface NearestRead {
  /** Whatever was acknowledged before is in it; undefined: that is not said of any moment. */
  readonly asOf: number | undefined;
  readonly answered: number;
  /** Empty: nothing was there. */
  readonly value: string;
}

export type Untrue =
  | { readonly kind: 'NOBODY_WROTE_IT' }
  /** It lacks this value. */
  | { readonly kind: 'MISSING'; readonly value: string }
  /** By this value; empty: by a deletion. */
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
  // It had happened when it was answered, or when somebody met it.
  const happened = Math.min(...shown.filter((each) => each.value === value).map((each) => each.answered));
  const after = before.filter((each) => each.value !== value && each.called > happened);
  const last = after.toSorted((one, other) => other.answered - one.answered)[0];
  return last && { kind: 'OVERWRITTEN', by: last.value };
}
