// The figures of one case: the times of each path, and those of relayed calls relative to the direct one.
import type { Usage } from '../../measure/all-in-one.ts';
import type { LoopFigures } from '../../measure/closed-loop.ts';
import type { Logged } from '../../measure/server-log.ts';
import { percentile, rounded } from '../../measure/statistics.ts';

type Level = 'direct' | 'floor' | 'subgraph' | 'gateway';

interface Block {
  readonly result: LoopFigures;
  readonly usage: Usage;
}

interface LoggedBlock extends Logged {
  readonly calls: number;
}

interface Comparison {
  readonly calls: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly addedP50Ms: number;
  readonly addedP99Ms: number;
  /** The medians, relative to the direct call. */
  readonly ratio: number;
  readonly callsPerSecond: number;
  /** Statements in the call's own path, by MariaDB's general log. */
  readonly commitsPerCall?: number;
  /** Includes statements outside the call's path. */
  readonly roundTripsPerCall?: number;
  /** Includes the sequencer's and the sealer's work, which covers many calls at once under load. */
  readonly allCommitsPerCall: number;
  /** CPU time of the process with all roles. For calls below the gateway it includes their clients. */
  readonly cpuMsPerCall: number;
  readonly databaseCpuMsPerCall: number;
}

export class Figures {
  readonly #blocks: ReadonlyMap<Level, Block[]>;
  readonly #logged = new Map<Level, LoggedBlock>();

  constructor(levels: readonly Level[]) {
    this.#blocks = new Map(levels.map((level) => [level, []]));
  }

  add(level: Level, block: Block): void {
    this.#blocks.get(level)?.push(block);
  }

  setLogged(level: Level, block: LoggedBlock): void {
    this.#logged.set(level, block);
  }

  compare(level: Level): Comparison {
    const own = this.#of(level);
    const direct = this.#of('direct');
    const logged = this.#logged.get(level);
    const perCall = (figure: keyof Usage, digits: number) =>
      rounded(own.blocks.reduce((sum, { usage }) => sum + usage[figure], 0) / own.latenciesMs.length, digits);
    const elapsedMs = own.blocks.reduce((sum, { result }) => sum + result.elapsedMs, 0);
    return {
      calls: own.latenciesMs.length,
      p50Ms: rounded(own.p50Ms, 2),
      p99Ms: rounded(own.p99Ms, 2),
      addedP50Ms: rounded(own.p50Ms - direct.p50Ms, 2),
      addedP99Ms: rounded(own.p99Ms - direct.p99Ms, 2),
      ratio: rounded(own.p50Ms / direct.p50Ms, 3),
      callsPerSecond: rounded((own.latenciesMs.length * 1000) / elapsedMs, 1),
      ...(logged === undefined
        ? {}
        : {
            commitsPerCall: rounded(logged.commits / logged.calls, 2),
            roundTripsPerCall: rounded(logged.statements / logged.calls, 1),
          }),
      allCommitsPerCall: perCall('allCommits', 2),
      cpuMsPerCall: perCall('cpuMs', 2),
      databaseCpuMsPerCall: perCall('databaseCpuMs', 2),
    };
  }

  report(): Readonly<Record<string, Comparison>> {
    return Object.fromEntries([...this.#blocks.keys()].map((level) => [level, this.compare(level)]));
  }

  #of(level: Level) {
    const blocks = this.#blocks.get(level) ?? [];
    const latenciesMs = blocks.flatMap(({ result }) => result.latenciesMs);
    return { blocks, latenciesMs, p50Ms: percentile(latenciesMs, 0.5), p99Ms: percentile(latenciesMs, 0.99) };
  }
}
