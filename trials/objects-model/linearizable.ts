// Checks whether the operations on one object could have happened one after the other, each between its call and its answer (Wing and Gong
// 1993; with the memory of Lowe 2017). An operation with unknown outcome may have happened at any later time, or never.

export interface Operation<Step> {
  /** Times of any clock that never stands still. */
  readonly called: number;
  /** Infinity if there was no answer, or an inconclusive one. */
  readonly answered: number;
  readonly step: Step;
}

/** The outcome is unknown: the operation may have happened at any later time, once or never. */
export function isUnknown({ answered }: Pick<Operation<unknown>, 'answered'>): boolean {
  return answered === Number.POSITIVE_INFINITY;
}

/**
 * @param apply the state after the step, or undefined if the step's answer does not fit the state. States are texts.
 */
export function isLinearizable<Step>(
  history: readonly Operation<Step>[],
  initial: string,
  apply: (state: string, step: Step) => string | undefined,
): boolean {
  const operations = [...history].sort((one, other) => one.called - other.called);
  const mustHappen = operations.map((operation) => !isUnknown(operation));
  const happened = operations.map(() => false);
  const seen = new Set<string>();
  const search = (state: string, left: number): boolean => {
    if (left === 0) return true;
    const memory = `${happened.map((did) => (did ? '1' : '0')).join('')} ${state}`;
    if (seen.has(memory)) return false;
    seen.add(memory);
    // An operation that was called after the answer of another one comes after it.
    let soonestAnswer = Number.POSITIVE_INFINITY;
    for (const [at, { answered }] of operations.entries())
      if (happened[at] !== true && answered < soonestAnswer) soonestAnswer = answered;
    for (const [at, { called, step }] of operations.entries()) {
      if (happened[at] === true || called > soonestAnswer) continue;
      const next = apply(state, step);
      if (next === undefined) continue;
      happened[at] = true;
      if (search(next, left - (mustHappen[at] === true ? 1 : 0))) return true;
      happened[at] = false;
    }
    return false;
  };
  return search(initial, mustHappen.filter(Boolean).length);
}
