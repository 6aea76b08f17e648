// One clock for all processes of this machine (CLOCK_MONOTONIC).
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
