// `npm run trials -- relay-names`: the proof that texts remain texts, as one JSON line.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BenchContext, type BenchResult, defineBench } from '../bench.ts';
import { runRelayNames } from './relay-names.ts';

const counts = {
  count: { help: 'texts', usual: 100_000 },
  real: {
    help: 'calls for each of nft, the shells and FRR (at most 1,000 there); they need root',
    usual: 5_000,
    least: 0,
  },
};

export const trialRelayNames = defineBench({
  counts,
  options: { folder: 'keeps what the real programs worked in' },
  run,
});

async function run(context: BenchContext<keyof typeof counts>): Promise<BenchResult<keyof typeof counts>> {
  const { seed, counts, options, timeIsUp, progress, signal } = context;
  const folder = options.folder ?? (await mkdtemp(join(tmpdir(), 'tidegate-names-')));
  progress(`folder ${folder}`);
  try {
    const { seed: _told, ...figures } = await runRelayNames({ seed, ...counts, folder, timeIsUp, progress, signal });
    return { figures, ran: { count: figures.texts } };
  } finally {
    if (options.folder === undefined) await rm(folder, { recursive: true, force: true });
  }
}
