// The interface between a benchmark or failure trial and bench/run.ts: its amount of work without options and with `--full`, its
// further options, and the figures compared by `--against`.

/** An amount, duration or rate: a whole number with its own option. */
export interface Count {
  readonly help: string;
  /** Of a duration: `ms` or `s`. */
  readonly unit?: string;
  /** Without options, a benchmark or trial ends within 15 minutes on two idle cores. */
  readonly usual: number;
  /** With `--full`; default: `usual`. */
  readonly full?: number;
  /** The smallest accepted value; default 1. */
  readonly least?: number;
}

/** The work of `--against`: short turns of this commit and of an older one, alternately. */
export interface Against {
  /** Per turn. */
  readonly counts: Readonly<Record<string, number>>;
  /** Options of one turn. */
  readonly options?: Readonly<Record<string, string>>;
  /** Turns per commit. */
  readonly rounds: number;
  /** Names of figures that are CPU time per unit, joined by ` > ` if nested: their ratios are reported. */
  readonly cpuPerUnit: readonly string[];
  /**
   * Which benchmark measures the older commit: its own, which knows its modules wherever they were; or this one, which takes the
   * option `product` and needs only the programs of that commit.
   */
  readonly measuredBy: 'its own benchmark' | 'this benchmark';
}

export interface BenchContext<CountName extends string = string> {
  /** For all random choices. */
  readonly seed: number;
  readonly counts: Readonly<Record<CountName, number>>;
  /** Texts, by the names in `Bench.options`. */
  readonly options: Readonly<Record<string, string | undefined>>;
  /**
   * True when the time of a run without options is up: a trial then makes no further attempt, judges its results, and reports how
   * many there were. Never with `--full`, nor when a count was given.
   */
  readonly timeIsUp: () => boolean;
  /** Writes to stderr: only the figures are returned. */
  readonly progress: (line: string) => void;
  readonly signal: AbortSignal;
}

export interface BenchResult<CountName extends string = string> {
  readonly figures: Readonly<Record<string, unknown>>;
  /** The counts that actually ran, if they differ from the requested ones. */
  readonly ran?: Readonly<Partial<Record<CountName, number>>>;
  /** Faults that must not occur: the program then ends with 1, after the figures. */
  readonly faults?: readonly string[];
}

export interface Bench<CountName extends string = string> {
  readonly counts: Readonly<Record<CountName, Count>>;
  /** Further text options, by name, with their description. */
  readonly options?: Readonly<Record<string, string>>;
  /** Absent if there is no CPU time per unit to compare. */
  readonly against?: Against;
  run(context: BenchContext<CountName>): Promise<BenchResult<CountName>>;
}

/** For the types: `run` gets exactly the names of the counts. */
export function defineBench<const CountName extends string>(bench: Bench<CountName>): Bench {
  return bench as unknown as Bench;
}
