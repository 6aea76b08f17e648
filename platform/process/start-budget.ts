// A start has minutes, not the deadline of a request: on a busy machine each of its steps may take fifty times as long. A step that takes
// long writes a line of progress again and again, so that slow is not taken for stuck.

import type { Logger } from '../log/log.ts';
import { within } from '../work/within.ts';

export const startBudgetMs = 300_000;
const usualEveryMs = 10_000;

interface StepOptions {
  readonly log: Pick<Logger, 'info'>;
  readonly budgetMs?: number | undefined;
  /** Between two lines of progress. */
  readonly everyMs?: number;
}

/** `name`: the part that starts. Throws TooLateError when its budget is used up. */
export async function startStep<Result>(
  name: string,
  { log, budgetMs = startBudgetMs, everyMs = usualEveryMs }: StepOptions,
  work: (signal: AbortSignal) => Promise<Result> | Result,
): Promise<Result> {
  const sinceMs = performance.now();
  const progress = setInterval(() => {
    const seconds = Math.round((performance.now() - sinceMs) / 1_000);
    log.info({ part: name, seconds, mostSeconds: budgetMs / 1_000 }, 'still starting');
  }, everyMs);
  try {
    return await within(budgetMs, `${name} did not start`, work);
  } finally {
    clearInterval(progress);
  }
}
