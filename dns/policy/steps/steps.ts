// The steps of a policy, by their names.
import type { PolicyStep } from '../plan.ts';
import { geoStep } from './geo.ts';
import { latencyStep } from './latency.ts';
import { firstStep, priorityStep } from './priority.ts';
import { proximityStep } from './proximity.ts';
import { shuffleStep, weightedStep } from './shuffle.ts';
import type { Step } from './step.ts';
import { stickyStep } from './sticky.ts';

export function prepareSteps(steps: readonly PolicyStep[]): readonly Step[] {
  return steps.map((step, at) => {
    const next = steps[at + 1];
    // An order matters only as far as the cut that follows it.
    return prepareStep(step, next?.step === 'FIRST' ? next.count : Number.POSITIVE_INFINITY);
  });
}

function prepareStep(step: PolicyStep, take: number): Step {
  switch (step.step) {
    case 'PRIORITY':
      return priorityStep;
    case 'GEO':
      return geoStep(step.by);
    case 'PROXIMITY':
      return proximityStep(step.toleranceKm);
    case 'LATENCY':
      return latencyStep(step.toleranceShare);
    case 'SHUFFLE':
      return shuffleStep(take);
    case 'WEIGHTED':
      return weightedStep(take);
    case 'STICKY':
      return stickyStep(step.ipv4Bits, step.ipv6Bits, take);
    case 'FIRST':
      return firstStep(step.count);
  }
}
