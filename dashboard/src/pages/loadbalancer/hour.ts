// The requests of the last hour by minute, for sparklines. Pure.

interface MinuteFigure {
  readonly startedAt: string;
  /** A whole number as text, as the graph sends it. */
  readonly requests: string;
}

const minuteMs = 60_000;
const minutesOfHour = 60;

/** A second, oldest first, up to the last whole minute. Null: no node reported. `figures` in any order. */
export function requestsOfHour(figures: readonly MinuteFigure[], nowMs: number): readonly (number | null)[] {
  const byMinute = new Map(
    figures.map(({ startedAt, requests }) => [Math.floor(Date.parse(startedAt) / minuteMs), Number(requests) / 60]),
  );
  // A server's clock may be ahead of the browser's.
  const last = Math.max(Math.floor(nowMs / minuteMs) - 1, ...byMinute.keys());
  return Array.from({ length: minutesOfHour }, (_, index) => byMinute.get(last - minutesOfHour + 1 + index) ?? null);
}

/** For readers who can't see the line. */
export function hourWords(values: readonly (number | null)[], format: (rate: number) => string): string {
  const known = values.filter((value) => value !== null);
  if (known.length === 0) return 'no traffic reported in the last hour';
  return `${format(Math.min(...known))} to ${format(Math.max(...known))} requests a second in the last hour`;
}
