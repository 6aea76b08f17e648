// `npm run trials -- hostile`: the system under attack while ordinary users work with it, as one JSON line.
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BenchContext, type BenchResult, defineBench } from '../bench.ts';
import { runHostileTrials } from './hostile.ts';

const counts = {
  requests: { help: 'requests of attackers', usual: 20_000, full: 100_000 },
  ordinary: { help: 'requests of ordinary users, at least', usual: 1_000, full: 5_000 },
};

export const trialHostile = defineBench({
  counts,
  options: { folder: 'keeps the logs of all processes there' },
  run,
});

async function run(context: BenchContext<keyof typeof counts>): Promise<BenchResult<keyof typeof counts>> {
  const { seed, options, timeIsUp, progress, signal } = context;
  const { requests, ordinary } = context.counts;
  const folder = options.folder ?? (await mkdtemp(join(tmpdir(), 'tidegate-hostile-')));
  // Passable for the user that the embedded servers run as.
  if (options.folder === undefined) await chmod(folder, 0o711);
  progress(`logs in ${folder}`);
  try {
    const result = await runHostileTrials({ seed, requests, ordinary, folder, timeIsUp, progress, signal });
    return { figures: { ...result }, ran: { requests: result.requests, ordinary: result.ordinary } };
  } finally {
    if (options.folder === undefined) await rm(folder, { recursive: true, force: true });
  }
}
