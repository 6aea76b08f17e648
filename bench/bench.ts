// What a benchmark or a failure trial is to bench/run.ts.

/** A benchmark or trial: progress goes to stderr, the figures are what it returns. */
export interface BenchContext {
  /** Options given after the name, as `--name value`. */
  readonly options: Readonly<Record<string, string>>;
  readonly progress: (line: string) => void;
  readonly signal: AbortSignal;
}

export type Bench = (context: BenchContext) => Promise<Readonly<Record<string, unknown>>>;
