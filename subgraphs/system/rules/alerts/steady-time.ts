// The time by which alerts measure durations. It advances while the process runs, regardless of the wall clock. When another process takes over, it
// continues by the database's clock, but never backwards.

interface StoredTime {
  readonly steadyMs: number;
  /** The database's clock at that time: Unix milliseconds. */
  readonly atMs: number;
}

/** The steady time for a process that takes over now. */
export function resumedTime({ steadyMs, atMs }: StoredTime, nowMs: number): number {
  return steadyMs + Math.max(0, nowMs - atMs);
}

/**
 * How long ago an event happened, in steady milliseconds. The event happened after all earlier events were read, however wrong the clock
 * has been since.
 */
export function ageOf(atMs: number, nowMs: number, sinceCaughtUpMs: number): number {
  return Math.min(Math.max(0, nowMs - atMs), sinceCaughtUpMs);
}
