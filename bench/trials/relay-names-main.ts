// `npm run trials -- relay-names`: the proof that texts stay texts, as one JSON line. Options: `--seed`, `--count` (100,000 texts),
// `--real` (5,000 calls for each of nft and the shells; needs root), `--folder DIR`.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Bench } from '../bench.ts';
import { numberOption } from './options.ts';
import { runRelayNames } from './relay-names.ts';

export const trialRelayNames: Bench = async ({ options, progress, signal }) => {
  const seed = numberOption(options, 'seed') ?? Math.floor(Math.random() * 2 ** 31);
  const folder = options.folder ?? (await mkdtemp(join(tmpdir(), 'tidegate-names-')));
  progress(`seed ${seed}; folder ${folder}`);
  try {
    const count = numberOption(options, 'count') ?? 100_000;
    const real = numberOption(options, 'real') ?? 5_000;
    return { ...(await runRelayNames({ seed, count, real, folder, progress, signal })) };
  } finally {
    if (options.folder === undefined) await rm(folder, { recursive: true, force: true });
  }
};
