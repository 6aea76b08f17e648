// Smoothed latencies of members. They are published to name servers only if they differ enough. Otherwise every check would
// change every answer.

/** The share that a new measurement has: half of a lasting change is there after three. */
const share = 0.2;
/** Smaller differences are noise. */
const leastMs = 2;

/** `before`: null: none yet. */
export function smoothedLatency(before: number | null, measuredMs: number): number {
  return before === null ? measuredMs : before + (measuredMs - before) * share;
}

/**
 * Hysteresis: the published latency stays until the smoothed one differs from it by more than `toleranceShare`. `told` is the
 * published latency, or null if there is none yet.
 */
export function toldLatency(told: number | null, smoothedMs: number, toleranceShare: number): number {
  const off = told === null ? Number.POSITIVE_INFINITY : Math.abs(smoothedMs - told);
  return told !== null && off <= Math.max(told * toleranceShare, leastMs) ? told : smoothedMs;
}
