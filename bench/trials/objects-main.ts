// `npm run trials -- objects`: object storage over four clusters while everything fails, as one JSON line.
import { type BenchContext, type BenchResult, defineBench } from '../bench.ts';
import { rounded } from '../support/statistics.ts';
import { chosenFaults, faultsOption } from './chosen-faults.ts';
import { faults } from './objects/faults.ts';
import { nothingWrong, type Wrong } from './objects/verdict.ts';
import { runObjectTrials } from './objects.ts';

const counts = {
  trials: { help: 'each with a container and up to three faults of its own', usual: 30, full: 300 },
  longest: { help: 'seconds that a fault takes at most', usual: 6, full: 60 },
  servers: { help: 'processes that serve each cluster', usual: 1 },
};
const leastShare = 0.9;

export const trialObjects = defineBench({
  counts,
  options: faultsOption,
  run,
});

async function run(context: BenchContext<keyof typeof counts>): Promise<BenchResult<keyof typeof counts>> {
  const { seed, timeIsUp, progress, signal, options } = context;
  const { trials, longest, servers } = context.counts;
  const { figures, findings } = await runObjectTrials({
    ...{ seed, trials, longestMs: longest * 1_000, site: { servers }, timeIsUp, progress, signal },
    faults: chosenFaults(faults, options.faults),
  });
  const { acknowledgedShare: share } = figures;
  const isWrong = (Object.keys(nothingWrong) as Wrong[]).some((name) => figures[name] > 0);
  const tooFew = share !== null && share < leastShare ? [`only ${rounded(share, 4)} was acknowledged`] : [];
  return {
    figures: { ...figures, acknowledgedShare: share === null ? null : rounded(share, 4) },
    ran: { trials: figures.trials },
    faults: [...(isWrong ? findings.slice(0, 50) : []), ...tooFew],
  };
}
