// SHUFFLE and WEIGHTED: in random order. Only the first `take` places are drawn, because no more are answered.
import type { Candidate, Step } from './step.ts';

export function shuffleStep(take: number): Step {
  return { name: 'SHUFFLE', choose: (from, _, draw) => drawn(from, take, draw, () => 1), why };
}

/** Draws each position from the remaining members, by weight. A weight of 0 is drawn only if no other member is left. */
export function weightedStep(take: number): Step {
  return { name: 'WEIGHTED', choose: (from, _, draw) => drawn(from, take, draw, ({ weight }) => weight), why };
}

function drawn<Each extends Candidate>(
  from: readonly Each[],
  take: number,
  draw: () => number,
  weightOf: (each: Each) => number,
): readonly Each[] {
  const list = [...from];
  const places = Math.min(take, list.length - 1);
  for (let place = 0; place < places; place += 1) {
    const at = pick(list, place, draw(), weightOf);
    const chosen = list[at] as Each;
    list[at] = list[place] as Each;
    list[place] = chosen;
  }
  return list;
}

/** Draws an index at or after `begin`, by weight. */
function pick<Each>(list: readonly Each[], begin: number, draw: number, weightOf: (each: Each) => number): number {
  let total = 0;
  for (let at = begin; at < list.length; at += 1) total += weightOf(list[at] as Each);
  if (total === 0) return begin + Math.floor(draw * (list.length - begin));
  let rest = draw * total;
  let last = begin;
  for (let at = begin; at < list.length; at += 1) {
    const weight = weightOf(list[at] as Each);
    if (weight === 0) continue;
    if (rest < weight) return at;
    rest -= weight;
    last = at;
  }
  // Rounding errors may leave a small remainder.
  return last;
}

/** Neither step leaves out a member. */
function why(): string {
  return '';
}
