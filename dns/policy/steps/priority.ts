// PRIORITY and FIRST: independent of the client.
import type { Step } from './step.ts';

export const priorityStep: Step = {
  name: 'PRIORITY',
  choose(from) {
    const least = Math.min(...from.map(({ priority }) => priority));
    return from.filter(({ priority }) => priority === least);
  },
  why: ({ priority }) => `its priority is ${priority}, and another's is smaller`,
};

export function firstStep(count: number): Step {
  return {
    name: 'FIRST',
    choose: (from) => (from.length <= count ? from : from.slice(0, count)),
    why: () => `at most ${count} ${count === 1 ? 'is' : 'are'} answered`,
  };
}
