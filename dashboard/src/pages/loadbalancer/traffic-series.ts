// Figures of traffic as columns of a chart: one for each period up to now, with a gap where no node reported. Pure.
import type { LoadBalancerTrafficPeriod } from '../../../../generated/dashboard/graphql.ts';

export interface TrafficFigure {
  readonly startedAt: string;
  /** Whole numbers as text, as the graph sends them. */
  readonly requests: string;
  readonly errors: string;
  readonly bytesIn: string;
  readonly bytesOut: string;
  readonly sessions: number;
  readonly latencyMs: number | null;
}

export interface Period {
  readonly name: LoadBalancerTrafficPeriod;
  readonly label: string;
  readonly seconds: number;
  /** Shown at once. */
  readonly count: number;
  readonly readEveryMs: number;
}

export const periods: readonly Period[] = [
  { name: 'SECOND', label: 'Seconds', seconds: 1, count: 300, readEveryMs: 2_000 },
  { name: 'MINUTE', label: 'Minutes', seconds: 60, count: 240, readEveryMs: 15_000 },
  { name: 'HOUR', label: 'Hours', seconds: 3600, count: 168, readEveryMs: 60_000 },
];

interface TrafficSeries {
  /** Seconds since 1970, rising; all columns have the same length. */
  readonly at: readonly number[];
  /** A second. */
  readonly requests: readonly (number | null)[];
  /** A second. */
  readonly errors: readonly (number | null)[];
  readonly latencyMs: readonly (number | null)[];
  readonly sessions: readonly (number | null)[];
  /** A second. */
  readonly bytesIn: readonly (number | null)[];
  /** A second. */
  readonly bytesOut: readonly (number | null)[];
}

/** `figures` in any order; those outside the `count` periods up to the newest one, or up to now, are left out. */
export function seriesOf(figures: readonly TrafficFigure[], period: Period, nowMs: number): TrafficSeries {
  const { seconds, count } = period;
  const byPeriod = new Map(
    figures.map((figure) => [Math.floor(Date.parse(figure.startedAt) / 1000 / seconds), figure]),
  );
  // A server's clock may be ahead of the browser's.
  const last = Math.max(Math.floor(nowMs / 1000 / seconds), ...byPeriod.keys());
  const numbers = Array.from({ length: count }, (_, index) => last - count + 1 + index);
  const column = (value: (figure: TrafficFigure) => number | null): (number | null)[] =>
    numbers.map((number) => {
      const figure = byPeriod.get(number);
      return figure === undefined ? null : value(figure);
    });
  return {
    at: numbers.map((number) => number * seconds),
    requests: column(({ requests }) => Number(requests) / seconds),
    errors: column(({ errors }) => Number(errors) / seconds),
    latencyMs: column((figure) => figure.latencyMs),
    sessions: column(({ sessions }) => sessions),
    bytesIn: column(({ bytesIn }) => Number(bytesIn) / seconds),
    bytesOut: column(({ bytesOut }) => Number(bytesOut) / seconds),
  };
}

/** The newest figure; undefined: there is none. */
export function newestOf(figures: readonly TrafficFigure[]): TrafficFigure | undefined {
  return figures.reduce<TrafficFigure | undefined>(
    (newest, figure) =>
      newest === undefined || Date.parse(figure.startedAt) > Date.parse(newest.startedAt) ? figure : newest,
    undefined,
  );
}
