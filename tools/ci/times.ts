// Costs of test files: the sums of each tier and of each part. The end of each run lists the slowest files (tools/tests/slowest.mjs).

/** A line that tests/support/jest/test-environment.ts writes for each file. */
export interface FileTime {
  /** Path from the root of the checkout. */
  readonly path: string;
  readonly wallMs: number;
  /** Processor time of the file's own process and of its ended children, without the run's servers. */
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

const mostFiles = 20;

/** `tierOf` gives a file's tier, and `tiers` is their order; `partOf` gives its part of the product. */
export function reportOfTimes(
  times: readonly FileTime[],
  tiers: readonly string[],
  tierOf: (path: string) => string,
  partOf: (path: string) => string,
): string[] {
  if (times.length === 0) return [];
  const byTier = Map.groupBy(times, ({ path }) => tierOf(path));
  const parts = [...Map.groupBy(times, ({ path }) => partOf(path))].toSorted(
    ([, one], [, other]) => sum(other, 'cpuMs') - sum(one, 'cpuMs'),
  );
  const dearest = times.toSorted((one, other) => other.cpuMs - one.cpuMs).slice(0, mostFiles);
  return [
    'Tiers (files of two lanes run side by side, so that wall times overlap):',
    ...tiers.map((tier) => lineOf(tier, byTier.get(tier) ?? [])),
    'Parts:',
    ...parts.map(([part, own]) => lineOf(part, own)),
    'The dearest files:',
    ...dearest.map(({ path, cpuMs }) => `${seconds(cpuMs)} CPU  ${path}`),
  ];
}

function lineOf(name: string, own: readonly FileTime[]): string {
  const files = `${String(own.length).padStart(4)} files`;
  return `${name.padEnd(15)}${files}  ${seconds(sum(own, 'wallMs'))} wall  ${seconds(sum(own, 'cpuMs'))} CPU`;
}

function sum(times: readonly FileTime[], of: 'wallMs' | 'cpuMs'): number {
  return times.reduce((total, time) => total + time[of], 0);
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1).padStart(7)} s`;
}
