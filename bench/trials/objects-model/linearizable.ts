// Whether a history of operations on one object could have happened one after the other, each between its call and its answer
// (Wing and Gong 1993; with the memory of Lowe 2017). An operation whose fate is unknown may have happened at any later time, or never.

export interface Operation<Step> {
  readonly calledMs: number;
  /** Infinity: no answer, or one that leaves it open. */
  readonly answeredMs: number;
  readonly step: Step;
}

/**
 * @param apply the state after the step, or undefined where the step's answer does not fit the state.
 * States are texts.
 */
export function isLinearizable<Step>(
  history: readonly Operation<Step>[],
  initial: string,
  apply: (state: string, step: Step) => string | undefined,
): boolean {
  const operations = [...history].sort((one, other) => one.calledMs - other.calledMs);
  const mustHappen = operations.map(({ answeredMs }) => answeredMs !== Number.POSITIVE_INFINITY);
  const happened = operations.map(() => false);
  const seen = new Set<string>();
  const search = (state: string, left: number): boolean => {
    if (left === 0) return true;
    const memory = `${happened.map((did) => (did ? '1' : '0')).join('')} ${state}`;
    if (seen.has(memory)) return false;
    seen.add(memory);
    // What is called after another's answer comes after it.
    let soonestAnswerMs = Number.POSITIVE_INFINITY;
    for (const [at, { answeredMs }] of operations.entries())
      if (happened[at] !== true && answeredMs < soonestAnswerMs) soonestAnswerMs = answeredMs;
    for (const [at, { calledMs, step }] of operations.entries()) {
      if (happened[at] === true || calledMs > soonestAnswerMs) continue;
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
