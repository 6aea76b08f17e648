// Judges whether a figure stays flat over time. It compares the growth of the figure's robust trend over the judged part with a bound.
// Figures that grow with the load are divided by the number of calls whose rows retention keeps.
import { median, rounded } from '../../measure/statistics.ts';

export interface Sample {
  readonly atMs: number;
  readonly value: number;
}

/** Growth that is not a leak comes from caches that fill, fragmentation, and noise. The larger of the two applies. */
export interface Bound {
  readonly most: number;
  /** Of the median. */
  readonly mostShare: number;
}

interface Growth {
  readonly first: number;
  readonly median: number;
  readonly last: number;
  /** The growth of the trend, over the judged part. */
  readonly growth: number;
  readonly perHour: number;
  readonly allowed: number;
  readonly flat: boolean;
}

/** This share of the samples is not judged, because pools, caches and compiled code grow first. */
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

/** The median of the slopes of all pairs (Theil and Sen), so that single outliers, as before a garbage collection, do not matter. */
function slopePerMs(samples: readonly Sample[]): number {
  const slopes = samples.flatMap((from, index) =>
    samples.slice(index + 1).map((to) => (to.value - from.value) / (to.atMs - from.atMs)),
  );
  return slopes.length === 0 ? Number.NaN : median(slopes);
}

/** Counts the calls made since a moment, from readings of a total that starts at 0. */
export class CallsMade {
  readonly #readings: Sample[];

  constructor(startMs: number) {
    this.#readings = [{ atMs: startMs, value: 0 }];
  }

  read(atMs: number, total: number): void {
    this.#readings.push({ atMs, value: total });
  }

  /** Up to the last reading. Between two readings calls are assumed to be evenly spread. */
  since(fromMs: number): number {
    return (this.#readings.at(-1)?.value ?? 0) - this.#totalAt(fromMs);
  }

  #totalAt(atMs: number): number {
    const before = this.#readings.findLast((reading) => reading.atMs <= atMs);
    const after = this.#readings.find((reading) => reading.atMs > atMs);
    if (before === undefined || after === undefined) return before?.value ?? 0;
    return before.value + ((after.value - before.value) * (atMs - before.atMs)) / (after.atMs - before.atMs);
  }
}
