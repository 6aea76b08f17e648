// Random clock steps with evenly distributed magnitudes, from a second to 400 days, forwards or backwards.
import type { Random } from '../random.ts';

const targets = ['database', 'one cluster', 'two clusters', 'name server', 'site'] as const;
export type Target = (typeof targets)[number];

export interface Step {
  readonly target: Target;
  readonly seconds: number;
  /** Whether the process with the clock restarts while the clock is wrong, and again after it is corrected. */
  readonly restarts: boolean;
}

const longestSeconds = 400 * 86_400;

export function randomStep(random: Random): Step {
  const seconds = Math.round(Math.exp(random.next() * Math.log(longestSeconds)));
  return {
    target: random.pick(targets),
    seconds: random.next() < 0.5 ? -seconds : seconds,
    restarts: random.next() < 0.5,
  };
}
