// Combines the figures of several lanes and parts.
import type { Verdict } from './verdict.ts';

const faults = [
  ...(['repeated', 'falseUnknown', 'settledWrong', 'unsettled', 'wrongMappings', 'resurrected'] as const),
  ...(['claimsLeft', 'invariants', 'sentTooLate'] as const),
] satisfies (keyof Verdict)[];
const counts = [
  ...(['operations', 'wasUnknown', 'killedBeforeFirstByte', 'pausedBeforeFirstByte', 'sentAfterPause'] as const),
] satisfies (keyof Verdict)[];

type Counted = (typeof faults)[number] | (typeof counts)[number];

export type SummedVerdict = Readonly<Record<Counted, number>> & Pick<Verdict, 'states' | 'findings'>;

export function sumVerdicts(verdicts: readonly Verdict[]): SummedVerdict {
  const sum = (name: Counted): number => verdicts.reduce((total, verdict) => total + verdict[name], 0);
  const figures = Object.fromEntries([...faults, ...counts].map((name) => [name, sum(name)])) as Record<
    Counted,
    number
  >;
  return {
    ...figures,
    states: sumRecords(verdicts.map(({ states }) => states)),
    findings: verdicts.flatMap(({ findings }) => findings),
  };
}

export function sumRecords(records: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const total: Record<string, number> = {};
  for (const record of records)
    for (const [name, value] of Object.entries(record)) total[name] = (total[name] ?? 0) + value;
  return total;
}

/** Median and maximum, in milliseconds. */
export function spread(valuesMs: readonly number[]): { readonly p50: number; readonly max: number } {
  const sorted = valuesMs.toSorted((a, b) => a - b);
  return { p50: sorted[sorted.length >> 1] ?? 0, max: sorted.at(-1) ?? 0 };
}
