// How long a backend's calls took.

interface Call {
  readonly startedAt: string | null;
  readonly finishedAt: string | null;
}

interface Latency {
  readonly calls: number;
  readonly medianMs: number;
  /** Of a hundred calls, 95 took at most so long. */
  readonly p95Ms: number;
  readonly slowestMs: number;
}

/** Null if none has ended. */
export function latencyOf(calls: readonly Call[]): Latency | null {
  const tookMs = calls
    .flatMap(({ startedAt, finishedAt }) =>
      startedAt === null || finishedAt === null ? [] : [Date.parse(finishedAt) - Date.parse(startedAt)],
    )
    .sort((a, b) => a - b);
  const at = (share: number): number => tookMs[Math.min(tookMs.length - 1, Math.ceil(share * tookMs.length) - 1)] ?? 0;
  return tookMs.length === 0
    ? null
    : { calls: tookMs.length, medianMs: at(0.5), p95Ms: at(0.95), slowestMs: tookMs.at(-1) ?? 0 };
}
