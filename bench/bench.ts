// What a benchmark or a failure trial is to bench/run.ts: how much it does without options and with `--full`, what else it can
// be told, and what `--against` compares.

/** How many, how long or how fast: a whole number that has an option of its own. */
export interface Count {
  readonly help: string;
  /** Without options, a benchmark or trial ends within 15 minutes on two idle cores. */
  readonly usual: number;
  /** With `--full`; left out: as usual. */
  readonly full?: number;
  /** The least that can be given; 1 when it is left out. */
  readonly least?: number;
}

/** What `--against` does: short turns of this commit and of an older one, alternately. */
export interface Against {
  /** Of one turn. */
  readonly counts: Readonly<Record<string, number>>;
  /** Options of one turn. */
  readonly options?: Readonly<Record<string, string>>;
  /** How often each commit has its turn. */
  readonly rounds: number;
  /**
   * Names of figures that are CPU time per unit, with ` > ` between names where they are nested: their ratios are what is told.
   */
  readonly cpuPerUnit: readonly string[];
  /**
   * Who measures the older commit: its own benchmark, which knows its modules wherever they were; or this one, which takes the
   * option `product` and needs nothing of that commit but its programs.
   */
  readonly measuredBy: 'its own benchmark' | 'this benchmark';
}

export interface BenchContext<CountName extends string = string> {
  /** For all that is drawn at random. */
  readonly seed: number;
  readonly counts: Readonly<Record<CountName, number>>;
  /** Texts, by the names of `Bench.options`. */
  readonly options: Readonly<Record<string, string | undefined>>;
  /**
   * True when the time of a run without options is over: a trial makes no further attempt then, judges what it has, and says how
   * much that was. Never with `--full`, nor when a count was given.
   */
  readonly timeIsUp: () => boolean;
  /** To stderr: the figures are what is returned. */
  readonly progress: (line: string) => void;
  readonly signal: AbortSignal;
}

export interface BenchResult<CountName extends string = string> {
  readonly figures: Readonly<Record<string, unknown>>;
  /** The counts that were really run, where they are not those that were asked for. */
  readonly ran?: Readonly<Partial<Record<CountName, number>>>;
}

export interface Bench<CountName extends string = string> {
  readonly counts: Readonly<Record<CountName, Count>>;
  /** Further options with a text, by name: what they do. */
  readonly options?: Readonly<Record<string, string>>;
  /** Left out: it has no CPU time per unit to compare. */
  readonly against?: Against;
  run(context: BenchContext<CountName>): Promise<BenchResult<CountName>>;
}

/** For the types: the names of the counts are those that `run` gets. */
export function defineBench<const CountName extends string>(bench: Bench<CountName>): Bench {
  return bench as unknown as Bench;
}
