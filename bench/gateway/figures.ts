// The results of a workload's rounds for each gateway, and for pairs of gateways.
import { median, rounded } from '../../measure/statistics.ts';

/** Of one gateway. */
export interface Turn {
  /** Per request. */
  readonly cpuMs: number;
  readonly requestsPerSecond: number;
}

/** By gateway. */
export type Rounds = ReadonlyMap<string, readonly Turn[]>;

export function figuresOf(rounds: Rounds): Readonly<Record<string, object>> {
  return Object.fromEntries(
    [...rounds].map(([name, turns]) => {
      const cpuMs = turns.map((turn) => turn.cpuMs);
      return [
        name,
        {
          cpuMs: medianCpuMs(rounds, name),
          spread: [rounded(Math.min(...cpuMs), 3), rounded(Math.max(...cpuMs), 3)],
          perSecond: rounded(median(turns.map(({ requestsPerSecond }) => requestsPerSecond)), 0),
        },
      ];
    }),
  );
}

/** Undefined if there were no such rounds. */
export function medianCpuMs(rounds: Rounds | undefined, name: string): number | undefined {
  const turns = rounds?.get(name);
  return turns && rounded(median(turns.map(({ cpuMs }) => cpuMs)), 3);
}

/** The CPU time of one gateway as a share of another's in the median round, because other load on the machine affects both. */
export function ratioOf(rounds: Rounds | undefined, name: string, other: string): number | undefined {
  const [turns, others] = [rounds?.get(name), rounds?.get(other)];
  if (turns === undefined || others === undefined) return undefined;
  return rounded(median(turns.map(({ cpuMs }, round) => cpuMs / (others[round]?.cpuMs ?? Number.NaN))), 3);
}
