// A real program's results for a sample of calls.

export interface RealFigures {
  readonly calls: number;
  readonly wrong: number;
  readonly findings: readonly string[];
}
