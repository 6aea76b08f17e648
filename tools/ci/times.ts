// What test files cost: the sum of each tier. The end of each run has the slowest files (tools/tests/slowest.mjs).

/** A line that tests/support/test-environment.ts writes for each file. */
export interface FileTime {
  /** From the root of the checkout. */
  readonly path: string;
  readonly wallMs: number;
  /** Of the file's own process and of those that it started and that have ended; the run's servers are not in it. */
  readonly cpuMs: number;
}

/** Lines that are no record are left out: a killed process may have written half of one. */
export function timesIn(text: string): FileTime[] {
  return text.split('\n').flatMap((line) => {
    try {
      return [JSON.parse(line) as FileTime];
    } catch {
      return [];
    }
  });
}

/** `tierOf` gives a file's tier; `tiers` is their order. */
export function reportOfTimes(
  times: readonly FileTime[],
  tiers: readonly string[],
  tierOf: (path: string) => string,
): string[] {
  if (times.length === 0) return [];
  const sums = tiers.map((tier) => {
    const own = times.filter(({ path }) => tierOf(path) === tier);
    const sum = (of: (time: FileTime) => number) => seconds(own.reduce((total, time) => total + of(time), 0));
    return `${tier.padEnd(8)}${String(own.length).padStart(4)} files  ${sum(({ wallMs }) => wallMs)} wall  ${sum(({ cpuMs }) => cpuMs)} CPU`;
  });
  return ['Tiers (files of two lanes run side by side, so that wall times overlap):', ...sums];
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1).padStart(7)} s`;
}
