// Finds the highest rate that the system keeps up with: up in steps until one is too much, then a longer run proves the last
// good one. What is too much is tried again, more often when others use the machine.
import { setTimeout as sleep } from 'node:timers/promises';
import { runStep, type Step, type StepParts } from './step.ts';

const growth = 1.15;
const tries = 2;
const disturbedTries = 4;
/** Of the machine's processors: with others using more of them, a rate that is too much says little. */
const disturbance = 0.15;
const restMs = 500;

export interface RateSearch {
  readonly fromPerSecond: number;
  readonly stepMs: number;
  /** Past it no step is begun: what was found by then counts. */
  readonly mostMs: number;
  readonly progress: (line: string) => void;
  readonly signal: AbortSignal;
}

export interface RateFound {
  readonly best: Step;
  /** By a run of twice a step's time. */
  readonly proved: boolean;
  readonly steps: readonly Step[];
}

/** Throws when the system keeps up with no rate that is tried. */
export async function findRate(parts: StepParts, search: RateSearch): Promise<RateFound> {
  const { fromPerSecond, stepMs, mostMs, progress, signal } = search;
  const endsAtMs = performance.now() + mostMs;
  const steps: Step[] = [];
  /** Undefined: too much, or no time. */
  const keepsUp = async (perSecond: number, forMs: number): Promise<Step | undefined> => {
    for (let tried = 1; performance.now() < endsAtMs; tried += 1) {
      signal.throwIfAborted();
      const step = await runStep(parts, perSecond, forMs);
      steps.push(step);
      progress(`at ${Math.round(perSecond)} calls per second: ${JSON.stringify(step)}`);
      if (step.tooMuch === undefined) return step;
      if (tried >= (step.others > disturbance ? disturbedTries : tries)) break;
      await sleep(restMs);
    }
    return undefined;
  };
  let rate = fromPerSecond;
  let best: Step | undefined;
  for (let step = await keepsUp(rate, stepMs); step !== undefined; step = await keepsUp(rate, stepMs)) {
    best = step;
    rate *= growth;
  }
  while (performance.now() < endsAtMs) {
    rate /= growth;
    const proof = await keepsUp(rate, 2 * stepMs);
    if (proof !== undefined) return { best: proof, proved: true, steps };
  }
  if (best !== undefined) return { best, proved: false, steps };
  const last = steps.at(-1);
  throw new Error(
    `the system keeps up with no rate that was tried: ${last?.tooMuch}; others had ${Math.round((last?.others ?? 0) * 100)} % of the machine`,
  );
}
