// Judges whether a figure stays flat over time: the growth of its robust trend over the judged part, against a bound.
import { median, rounded } from '../support/statistics.ts';

export interface Sample {
  readonly atMs: number;
  readonly value: number;
}

/** Growth that is not a leak: caches that fill, fragmentation, and noise. The larger of the two applies. */
export interface Bound {
  readonly most: number;
  /** Of the median. */
  readonly mostShare: number;
}

export interface Growth {
  readonly first: number;
  readonly median: number;
  readonly last: number;
  /** Of the trend, over the judged part. */
  readonly growth: number;
  readonly perHour: number;
  readonly allowed: number;
  readonly flat: boolean;
}

/** This share of the samples is not judged: pools, caches and compiled code grow first. */
const warmUpShare = 1 / 3;
const hourMs = 3_600_000;

export function judge(samples: readonly Sample[], { most, mostShare }: Bound): Growth {
  const judged = samples.slice(Math.floor(samples.length * warmUpShare));
  const values = judged.map(({ value }) => value);
  const slope = slopePerMs(judged);
  const growth = slope * ((judged.at(-1)?.atMs ?? 0) - (judged[0]?.atMs ?? 0));
  const allowed = Math.max(most, mostShare * median(values));
  return {
    first: rounded(samples[0]?.value ?? Number.NaN, 1),
    median: rounded(median(values), 1),
    last: rounded(samples.at(-1)?.value ?? Number.NaN, 1),
    growth: rounded(growth, 2),
    perHour: rounded(slope * hourMs, 2),
    allowed: rounded(allowed, 2),
    flat: judged.length > 2 && growth <= allowed,
  };
}

/** The median of the slopes of all pairs (Theil and Sen): single outliers, as before a garbage collection, do not matter. */
function slopePerMs(samples: readonly Sample[]): number {
  const slopes = samples.flatMap((from, index) =>
    samples.slice(index + 1).map((to) => (to.value - from.value) / (to.atMs - from.atMs)),
  );
  return slopes.length === 0 ? Number.NaN : median(slopes);
}
