// The comment on a pull request about its speed: `npm run bench -- NAME --against COMMIT` of some benchmarks, read from the files NAME.json.
// It advises: a shared machine is noisy, and people judge.
import { readFile } from 'node:fs/promises';

interface Compared {
  /** CPU time per unit, now to before, by figure. */
  readonly ratio: Readonly<Record<string, number>>;
  readonly ratios: Readonly<Record<string, readonly number[]>>;
}

/** A ratio is worth a second look when all rounds are on one side of 1, and their median is this far from it. */
const noticeable = 0.05;

/** By name; undefined for a benchmark that gave no result. */
export function benchComment(results: ReadonlyMap<string, Compared | undefined>): string {
  const rows = [...results].flatMap(([name, result]) =>
    result === undefined
      ? [`| ${name} | no result | | |`]
      : Object.entries(result.ratio).map(([figure, ratio]) => {
          const rounds = result.ratios[figure] ?? [];
          return `| ${name} | ${figure} | ${ratio} | ${verdictOf(ratio, rounds)} |`;
        }),
  );
  return [
    'CPU time per unit of this change, divided by that of the target branch. It advises only.',
    '',
    '| benchmark | figure | ratio | |',
    '|---|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}

function verdictOf(ratio: number, rounds: readonly number[]): string {
  const range = `${Math.min(...rounds)} to ${Math.max(...rounds)}`;
  if (Math.abs(ratio - 1) < noticeable) return range;
  if (rounds.every((each) => each > 1)) return `**slower**, ${range}`;
  return rounds.every((each) => each < 1) ? `faster, ${range}` : range;
}

async function resultIn(file: string): Promise<Compared | undefined> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return text.trim() === '' ? undefined : (JSON.parse(text) as Compared);
}

if (import.meta.main) {
  const names = process.argv.slice(2);
  const results = names.map(async (name) => [name, await resultIn(`${name}.json`)] as const);
  process.stdout.write(benchComment(new Map(await Promise.all(results))));
}
