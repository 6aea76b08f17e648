// The command line shared by `npm run bench` and `npm run trials`.
import { parseArgs } from 'node:util';
import type { Bench, Count } from './bench.ts';

export interface BenchArguments {
  readonly seed: number;
  readonly full: boolean;
  readonly counts: Readonly<Record<string, number>>;
  /** The given options. */
  readonly options: Readonly<Record<string, string>>;
  /** The given counts, without `rounds` of `--against`. */
  readonly givenCounts: Readonly<Record<string, number>>;
  /** A count or `--full` was given: the run has no time limit. */
  readonly unbounded: boolean;
  /** A commit, by any name that git knows. */
  readonly against: string | undefined;
  /** `--rounds` if given: with `--against`, alternating rounds. */
  readonly rounds: number | undefined;
}

/** Wrong use of the command line. */
export class ArgumentError extends Error {
  override readonly name = 'ArgumentError';
}

const largestSeed = 2 ** 31;

/** Throws ArgumentError. `drawSeed` returns the seed of a run without `--seed`. */
export function parseArguments(
  bench: Bench,
  words: readonly string[],
  drawSeed: () => number = () => Math.floor(Math.random() * largestSeed),
): BenchArguments {
  const names = ['seed', 'against', 'rounds', ...Object.keys(bench.counts), ...Object.keys(bench.options ?? {})];
  const values = parse(words, names);
  const text = (name: string): string | undefined => {
    const value = values[name];
    return typeof value === 'string' ? value : undefined;
  };
  const whole = (name: string, least: number): number | undefined => {
    const given = text(name);
    if (given === undefined) return undefined;
    const value = Number(given);
    if (!/^\d+$/.test(given) || !Number.isSafeInteger(value) || value < least)
      throw new ArgumentError(`--${name} must be a whole number of at least ${least}, not '${given}'`);
    return value;
  };
  const full = values.full === true;
  const against = text('against');
  if (against !== undefined && bench.against === undefined)
    throw new ArgumentError('--against: this has no figure of CPU time per unit, by which two commits are compared');
  if (against !== undefined && full)
    throw new ArgumentError('--against and --full exclude each other: a turn is short');
  const given = Object.entries(bench.counts).map(([name, count]) => [name, whole(name, count.least ?? 1)] as const);
  const rounds = whole('rounds', 1);
  if (rounds !== undefined && against === undefined && !('rounds' in bench.counts))
    throw new ArgumentError('--rounds goes with --against');
  return {
    seed: whole('seed', 0) ?? drawSeed(),
    full,
    counts: Object.fromEntries(given.map(([name, value]) => [name, value ?? byDefault(bench.counts[name], full)])),
    options: Object.fromEntries(
      Object.keys(bench.options ?? {}).flatMap((name) => {
        const value = text(name);
        return value === undefined ? [] : [[name, value]];
      }),
    ),
    givenCounts: Object.fromEntries(
      given.flatMap(([name, value]) =>
        value === undefined || (name === 'rounds' && against !== undefined) ? [] : [[name, value]],
      ),
    ),
    unbounded: full || given.some(([, value]) => value !== undefined),
    against,
    rounds,
  };
}

export function usageOf(command: string, bench: Bench): string {
  const rows: (readonly [string, string])[] = [
    ...Object.entries(bench.counts).map(([name, count]): [string, string] => [`--${name} N`, countHelp(count)]),
    ...Object.entries(bench.options ?? {}).map(([name, help]): [string, string] => [`--${name} TEXT`, help]),
    ['--full', 'the counts of the proof'],
    ['--seed N', 'repeats a run'],
    ...(bench.against === undefined
      ? []
      : [
          ['--against COMMIT', 'alternates with an older commit'] as const,
          ['--rounds N', `with --against: how often each commit has its turn (${bench.against.rounds})`] as const,
        ]),
  ];
  const width = Math.max(...rows.map(([form]) => form.length));
  return `usage: ${command}\n${rows.map(([form, help]) => `  ${form.padEnd(width)}  ${help}\n`).join('')}`;
}

function parse(words: readonly string[], names: readonly string[]): Readonly<Record<string, string | boolean>> {
  try {
    const { values } = parseArgs({
      args: [...words],
      options: {
        full: { type: 'boolean' },
        ...Object.fromEntries(names.map((name) => [name, { type: 'string' as const }])),
      },
    });
    return values as Record<string, string | boolean>;
  } catch (error) {
    throw new ArgumentError(error instanceof Error ? error.message : String(error));
  }
}

function byDefault(count: Count | undefined, full: boolean): number {
  if (count === undefined) throw new Error('a count that the benchmark does not have');
  return full ? (count.full ?? count.usual) : count.usual;
}

function countHelp({ help, unit, usual, full, least }: Count): string {
  const amount = (value: number) => (unit === undefined ? `${value}` : `${value} ${unit}`);
  const parts = [
    amount(usual),
    ...(full === undefined ? [] : [`with --full ${amount(full)}`]),
    ...(least === undefined ? [] : [`at least ${amount(least)}`]),
  ];
  return `${help} (${parts.join('; ')})`;
}
