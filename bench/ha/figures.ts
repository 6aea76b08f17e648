// Evaluates the times measured by the benchmark of high availability.

import { median, rounded } from '../../measure/statistics.ts';
import type { Acknowledgement } from '../../trials/ha/verdict.ts';

/** The longest time without an acknowledged write, among gaps that end after `fromMs`. NaN if there was no acknowledgement after it. */
export function gapMs(told: readonly Pick<Acknowledgement, 'answeredMs'>[], fromMs: number): number {
  const times = told.map(({ answeredMs }) => answeredMs).sort((one, other) => one - other);
  const first = times.findIndex((each) => each > fromMs);
  if (first < 0) return Number.NaN;
  let [longest, before] = [0, times[first - 1] ?? fromMs];
  for (const each of times.slice(first)) {
    longest = Math.max(longest, each - before);
    before = each;
  }
  return longest;
}

/** The ratio of the medians. */
export function ratio(ours: readonly number[], theirs: readonly number[]): number {
  return rounded(median(ours) / median(theirs), 2);
}

/** Medians in seconds, and all values. */
export function secondsOf(timesMs: readonly number[]): { readonly median: number; readonly all: readonly number[] } {
  const seconds = timesMs.map((each) => rounded(each / 1_000, 2));
  return { median: rounded(median(timesMs) / 1_000, 2), all: seconds };
}
