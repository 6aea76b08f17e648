// Milliseconds of CLOCK_MONOTONIC, which all processes of a machine share: the agent writes times, and the watchdog reads them.

export function monotonicMs(): number {
  return Number(process.hrtime.bigint() / 1_000n) / 1_000;
}
