// Latencies of members as name servers get them: rounded to steps, with hysteresis against noise. Otherwise every check would change every answer.
// Checkers smooth their measurements (agents/checker/reporter.ts).

/** Ratio between two steps. */
const stepFactor = 1.25;
/**
 * A step stays until the latency has changed by this factor. Checks that differ by 30 percent, and the quarter within which a checker reports
 * nothing, stay below it.
 */
const holdFactor = 1.6;
/** Smaller differences are noise. */
const leastMs = 5;

/** Hysteresis. `told`: the published latency, or null if there is none yet. */
export function toldLatency(told: number | null, measuredMs: number): number {
  if (told !== null && isNear(told, measuredMs)) return told;
  return Math.round(stepFactor ** Math.round(Math.log(Math.max(measuredMs, 1)) / Math.log(stepFactor)));
}

function isNear(told: number, ms: number): boolean {
  return Math.abs(ms - told) <= leastMs || (ms <= told * holdFactor && ms * holdFactor >= told);
}
