// Judges the decisions of one run from outside: the changes with their times, and whether they were necessary.

interface Change {
  readonly atMs: number;
  readonly fromNodes: number;
  readonly toNodes: number;
  /** Caused by the load, not by bounds from a schedule or a person. */
  readonly byLoad: boolean;
}

/** The number of second changes of direction within a cooldown, caused by the load. */
export function countFlaps(changes: readonly Change[], cooldownMs: number): number {
  let direction = 0;
  let turnedMs: number | undefined;
  let flaps = 0;
  for (const { atMs, fromNodes, toNodes, byLoad } of changes) {
    const now = Math.sign(toNodes - fromNodes);
    if (now === 0) continue;
    if (direction !== 0 && now !== direction) {
      if (byLoad && turnedMs !== undefined && atMs - turnedMs < cooldownMs) flaps += 1;
      turnedMs = atMs;
    }
    direction = now;
  }
  return flaps;
}
