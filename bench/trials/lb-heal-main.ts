// `npm run trials -- lb-heal`: healing of load balancers under every fault, as one JSON line. As root the nodes are in network namespaces.
import { ArgumentError } from '../arguments.ts';
import { type BenchContext, type BenchResult, defineBench } from '../bench.ts';
import type { Network } from './lb-heal/site.ts';
import { runHealTrials } from './lb-heal.ts';

const counts = { trials: { help: 'faults, one after the other', usual: 60, full: 300 } };

export const trialLbHeal = defineBench({
  counts,
  options: { network: 'netns (default as root) or loopback' },
  run,
});

async function run(context: BenchContext<keyof typeof counts>): Promise<BenchResult<keyof typeof counts>> {
  const { seed, options, timeIsUp, progress, signal } = context;
  const network = networkOf(options.network);
  const whole = await runHealTrials({
    ...{ seed, network, timeIsUp, progress, signal, trials: context.counts.trials },
  });
  return { figures: { ...whole, network }, ran: { trials: whole.trials } };
}

function networkOf(given: string | undefined): Network {
  const isRoot = process.getuid?.() === 0;
  if (given === undefined) return isRoot ? 'netns' : 'loopback';
  if (given !== 'netns' && given !== 'loopback') throw new ArgumentError(`--network: there is no '${given}'`);
  if (given === 'netns' && !isRoot) throw new ArgumentError('--network netns needs root');
  return given;
}
