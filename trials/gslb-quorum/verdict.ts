// The judge of a round. It shares no code with the ledger and the engine. It knows what was really reported, and when.
import type { Verdict } from '../../subgraphs/gslb/rules/quorum.ts';
import { freshMs, type Round } from './round.ts';

export interface Faults {
  /** The member was up during the whole time from which votes may count, but was made DOWN; or the reverse. */
  wrongDown: number;
  wrongUp: number;
  /** A change of the verdict although too few vantage points had recently reported, so that the silence of others decided. */
  flipsBySilence: number;
  /** A vote counted although no process of its vantage point had recently held that view. */
  lateCounted: number;
  /** A batch counted twice, or a vantage point voted twice. */
  doubleCounted: number;
  /** After the quiet period the verdict was not the truth. */
  stuck: number;
}

export const noFaults: Readonly<Faults> = {
  ...{ wrongDown: 0, wrongUp: 0, flipsBySilence: 0, lateCounted: 0, doubleCounted: 0, stuck: 0 },
};

/** Two checks a second apart, and their jitter. */
const noticedMs = 2_200;

export function faultsOf(round: Round): Faults {
  const { conductor, vantagePoints, truth, said } = round;
  const faults = { ...noFaults };
  const heldLately = (vantagePoint: string, verdict: Verdict, atMs: number) =>
    said.some(
      (each) =>
        each.vantagePoint === vantagePoint &&
        each.verdict === verdict &&
        each.fromMs <= atMs &&
        (each.toMs ?? Number.POSITIVE_INFINITY) >= atMs - freshMs,
    );
  for (const { atMs, judgement } of conductor.judgements) {
    const counted = judgement.ballots.filter(({ count }) => count === 'COUNTED');
    if (new Set(counted.map(({ vantagePoint }) => vantagePoint)).size < counted.length) faults.doubleCounted += 1;
    for (const { vantagePoint, verdict } of counted)
      if (verdict === null || !heldLately(vantagePoint, verdict, atMs)) faults.lateCounted += 1;
  }
  for (const { atMs, verdict } of conductor.flips) {
    const agreed = vantagePoints.filter(({ name }) => heldLately(name, verdict, atMs)).length;
    if (agreed * 2 <= vantagePoints.length) faults.flipsBySilence += 1;
    const since = atMs - freshMs - noticedMs;
    const states = truth.filter((each, at) => each.atMs <= atMs && (truth[at + 1]?.atMs ?? atMs) >= since);
    if (states.every((each) => each.verdict !== verdict)) faults[verdict === 'DOWN' ? 'wrongDown' : 'wrongUp'] += 1;
  }
  faults.doubleCounted += conductor.countedBatches.length - new Set(conductor.countedBatches).size;
  if (conductor.verdict !== truth.at(-1)?.verdict) faults.stuck += 1;
  return faults;
}
