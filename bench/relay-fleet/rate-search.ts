// Finds the highest sustained rate. It increases the rate in steps until one is too high, then confirms the last good rate in a longer run.
// A failed step is repeated, more often if other processes use the machine.
import { setTimeout as sleep } from 'node:timers/promises';
import { runStep, type Step, type StepDependencies } from './step.ts';

const growth = 1.15;
const tries = 2;
const disturbedTries = 4;
/** The share of the machine's processors above which use by other processes makes a failed step meaningless. */
const disturbance = 0.15;
const restMs = 500;

interface RateSearch {
  readonly fromPerSecond: number;
  readonly stepMs: number;
  /** No step starts after this time; the result so far counts. */
  readonly mostMs: number;
  readonly progress: (line: string) => void;
  readonly signal: AbortSignal;
}

interface RateFound {
  readonly best: Step;
  /** Rate in a run of twice a step's time. */
  readonly proved: boolean;
  readonly steps: readonly Step[];
}

/** Throws if none of the rates is sustained. */
export async function findRate(dependencies: StepDependencies, search: RateSearch): Promise<RateFound> {
  const { fromPerSecond, stepMs, mostMs, progress, signal } = search;
  const endsAtMs = performance.now() + mostMs;
  const steps: Step[] = [];
  /** Undefined if the rate is too high, or if no time is left. */
  const keepsUp = async (perSecond: number, forMs: number): Promise<Step | undefined> => {
    for (let tried = 1; performance.now() < endsAtMs; tried += 1) {
      signal.throwIfAborted();
      const step = await runStep(dependencies, perSecond, forMs);
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
