// `--against COMMIT`: this commit and an older one take turns, with the same counts and the same seed, so that other load on the
// machine affects both. The order changes in each round.
import type { BenchArguments } from '../../measure/arguments.ts';
import type { Against, Bench } from '../../measure/bench.ts';
import { compareRounds, type Round } from './comparison.ts';
import { checkOut } from './older-checkout.ts';
import { type Figures, takeTurn } from './turn.ts';

interface CompareOptions {
  /** Of this checkout. */
  readonly root: string;
  readonly kind: string;
  readonly name: string;
  readonly bench: Pick<Bench, 'against'>;
  readonly given: Pick<BenchArguments, 'seed' | 'rounds' | 'givenCounts' | 'options'>;
  readonly progress: (line: string) => void;
  readonly signal: AbortSignal;
}

type Side = keyof Round;

export async function compareWith(commit: string, options: CompareOptions): Promise<object> {
  const { root, bench, given, progress, signal } = options;
  const against = bench.against as Against;
  const rounds = given.rounds ?? against.rounds;
  const counts = { ...against.counts, ...given.givenCounts };
  await using stack = new AsyncDisposableStack();
  progress(`making ${commit} ready in a worktree …`);
  const older = await checkOut(stack, { root, commit, signal });
  const turnOf = (side: Side): Promise<Figures> => {
    const own = side === 'now' || against.measuredBy === 'its own benchmark';
    const product = own ? {} : { product: older.root };
    return takeTurn({
      root: side === 'before' && own ? older.root : root,
      kind: options.kind,
      name: options.name,
      options: { ...counts, ...against.options, ...given.options, ...product, seed: given.seed },
      signal,
    });
  };
  const done: Round[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    const order: readonly Side[] = round % 2 === 1 ? ['now', 'before'] : ['before', 'now'];
    const turns: Partial<Record<Side, Figures>> = {};
    for (const side of order) {
      progress(`round ${round} of ${rounds}: ${side === 'now' ? 'this commit' : older.commit.slice(0, 12)}`);
      turns[side] = await turnOf(side);
    }
    done.push(turns as Round);
    progress(
      `round ${round} of ${rounds}: ratios ${JSON.stringify(compareRounds(done.slice(-1), against.cpuPerUnit).ratio)}`,
    );
  }
  return {
    ...compareRounds(done, against.cpuPerUnit),
    against: older.commit,
    seed: given.seed,
    full: false,
    counts: {
      rounds,
      ...Object.fromEntries(Object.entries(counts).map(([name, count]) => [`${name}OfATurn`, count])),
    },
  };
}
