// The skeleton of a failure trial: its options, its run, and the figures that must be 0. bench/run.ts does the rest, which is the same for
// benchmarks: command line, seed, signals, JSON and exit code.
import type { Bench, BenchContext, Count } from '../measure/bench.ts';
import type { TrialOption } from './trial-options.ts';

/** The parts that every trial gets. Tests that run a trial may leave out the optional parts. */
export interface TrialRun {
  /** The generator for all random choices. */
  readonly seed: number;
  /** No further attempt starts after this time. */
  readonly timeIsUp?: () => boolean;
  /** Writes a line to stderr. */
  readonly progress?: (line: string) => void;
  /** Aborted by SIGINT and SIGTERM. */
  readonly signal?: AbortSignal;
}

type Options = Readonly<Record<string, TrialOption<unknown>>>;
type Values<Given extends Options> = {
  readonly [Name in keyof Given]: Given[Name] extends TrialOption<infer Value> ? Value : never;
};

interface Trial<
  CountName extends string,
  Given extends Options,
  Zero extends string,
  Figures extends Readonly<Record<Zero, number>>,
> {
  readonly counts: Readonly<Record<CountName, Count>>;
  /** Further options, of the kinds in trial-options.ts. */
  readonly options?: Given;
  /** Gets counts and options by their names. In the returned figures, each entry of `findings` is a fault. */
  readonly run: (given: Required<TrialRun> & Readonly<Record<CountName, number>> & Values<Given>) => Promise<Figures>;
  /** Figures that must be 0; otherwise the trial fails. */
  readonly mustBeZero?: readonly Zero[];
  /** The counts that actually ran. Default: the figures that have the name of a count. */
  readonly ran?: (figures: NoInfer<Figures>) => Readonly<Partial<Record<CountName, number>>>;
}

type AnyFigures = Readonly<Record<string, unknown>> & { readonly findings?: readonly unknown[] };

/** Limits the output of a run in which everything is wrong. */
const mostFindings = 50;

/**
 * One trial of the table in trials/tables.ts.
 *
 *     export const trialClock = defineTrial({
 *       counts: { trials: { help: 'steps of clocks', usual: 40, full: 100 } },
 *       options: { folder: folderOption('the logs of all processes') },
 *       run: ({ seed, trials, folder, signal }) => …,
 *       mustBeZero: ['lostRows'],
 *     });
 */
export function defineTrial<
  const CountName extends string,
  Figures extends Readonly<Record<Zero, number>>,
  const Zero extends string = never,
  const Given extends Options = Record<never, never>,
>(trial: Trial<CountName, Given, Zero, Figures>): Bench {
  const options: Options = trial.options ?? {};
  return {
    counts: trial.counts,
    options: Object.fromEntries(Object.entries(options).map(([name, { help }]) => [name, help])),
    async run(context) {
      await using cleanup = new AsyncDisposableStack();
      const { counts, options: texts, ...common } = context;
      const given: Record<string, unknown> = { ...common, ...counts };
      for (const [name, { read }] of Object.entries(options))
        given[name] = await read(texts[name], { name: `--${name}`, progress: context.progress, cleanup });
      const whole = await trial.run(given as Parameters<typeof trial.run>[0]);
      const { findings, ...figures } = whole as AnyFigures;
      const notZero = (trial.mustBeZero ?? []).filter((name) => figures[name] !== 0);
      const shown = findings?.slice(0, mostFindings);
      return {
        figures: { ...figures, ...(shown === undefined ? {} : { findings: shown }) },
        ran: trial.ran?.(whole) ?? sameNames(counts, figures),
        faults: [
          ...notZero.map((name) => `${name}: ${figures[name]}`),
          ...(shown ?? []).map((each) => (typeof each === 'string' ? each : JSON.stringify(each))),
        ],
      };
    },
  };
}

function sameNames(counts: BenchContext['counts'], figures: Readonly<Record<string, unknown>>): Record<string, number> {
  return Object.fromEntries(
    Object.keys(counts).flatMap((name) => {
      const figure = figures[name];
      return typeof figure === 'number' ? [[name, figure] as const] : [];
    }),
  );
}
