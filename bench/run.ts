// `npm run bench -- NAME` and `npm run trials -- NAME`: runs one benchmark or failure trial. Its last line is one JSON object with the
// figures, `seed`, `full`, and the `counts` that actually ran.
import { fileURLToPath } from 'node:url';
import { ArgumentError, type BenchArguments, parseArguments, usageOf } from '../measure/arguments.ts';
import type { Bench } from '../measure/bench.ts';
import { toleratesBrokenConnects } from '../platform/database/connector-rejections.ts';
import { type TrialRow, trials } from '../trials/tables.ts';
import { compareWith } from './against/compare.ts';
import { benches } from './tables.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
/** A part of the 15 minutes of a run without options. The rest is for starting, judging and stopping. */
const attemptsMs = 12 * 60_000;

async function main(): Promise<number> {
  const [kind = 'bench', name = '', ...words] = process.argv.slice(2);
  const table = kind === 'trials' ? trials : benches;
  if (!Object.hasOwn(table, name)) {
    process.stderr.write(`usage: npm run ${kind} -- NAME [--help]; NAME is one of ${Object.keys(table).join(', ')}\n`);
    return 2;
  }
  const trial = kind === 'trials' ? trials[name] : undefined;
  const bench = await (trial?.load ?? benches[name])?.();
  if (bench === undefined) throw new Error(`${name} can't be loaded`);
  const usage = usageOf(`npm run ${kind} -- ${name} [options]`, bench);
  if (words.includes('--help')) {
    process.stdout.write(trial === undefined ? usage : `${usage}\n${aboutTrial(trial)}`);
    return 0;
  }
  try {
    const code = await runGiven(kind, name, words, bench);
    if (code === 1 && trial !== undefined) process.stderr.write(`${trial.failure}\n${trial.repeat}\n`);
    return code;
  } catch (error) {
    if (!(error instanceof ArgumentError)) throw error;
    process.stderr.write(`${error.message}\n${usage}`);
    return 2;
  }
}

function aboutTrial({ proves, failure, repeat }: TrialRow): string {
  return `What it proves: ${proves}\nA failure: ${failure}\nTo repeat it: ${repeat}\n`;
}

/** Throws ArgumentError, also for options that only the benchmark or trial itself can judge. */
async function runGiven(kind: string, name: string, words: readonly string[], bench: Bench): Promise<number> {
  const given = parseArguments(bench, words);
  toleratesBrokenConnects(process);
  const ending = new AbortController();
  process.once('SIGINT', () => ending.abort());
  process.once('SIGTERM', () => ending.abort());
  const progress = (line: string): void => void process.stderr.write(`${line}\n`);
  progress(`seed ${given.seed}`);
  if (given.against !== undefined) {
    const turns = { root, kind, name, bench, given, progress, signal: ending.signal };
    process.stdout.write(`${JSON.stringify(await compareWith(given.against, turns))}\n`);
    return 0;
  }
  const { result, faults } = await runOnce(bench, given, progress, ending.signal);
  process.stdout.write(`${JSON.stringify(result)}\n`);
  if (faults.length === 0) return 0;
  for (const fault of faults) progress(fault);
  const seed = words.some((word) => /^--seed\b/.test(word)) ? [] : ['--seed', String(given.seed)];
  progress(`to repeat: npm run ${[kind, '--', name, ...words, ...seed].join(' ')}`);
  return 1;
}

async function runOnce(
  bench: Bench,
  { seed, full, counts, options, unbounded }: BenchArguments,
  progress: (line: string) => void,
  signal: AbortSignal,
): Promise<{ readonly result: object; readonly faults: readonly string[] }> {
  const untilMs = performance.now() + attemptsMs;
  const timeIsUp = () => !unbounded && performance.now() > untilMs;
  const { figures, ran, faults = [] } = await bench.run({ seed, counts, options, timeIsUp, progress, signal });
  return { result: { ...figures, seed, full, counts: { ...counts, ...ran } }, faults };
}

process.exitCode = await main();
