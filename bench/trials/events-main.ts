// `npm run trials -- events`: the complete proof of the event stream in both of its layers, as one JSON line.
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BenchContext, type BenchResult, defineBench } from '../bench.ts';
import { runEventTrials } from './events.ts';
import { runGatewayEventTrials } from './events-gateway.ts';

const counts = { events: { help: 'events in each layer', usual: 10_000 } };

export const trialEvents = defineBench({
  counts,
  options: {
    layer: 'feed or gateway: only one of them',
    folder: 'keeps the logs of the processes behind the gateway there',
  },
  run,
});

async function run(context: BenchContext<keyof typeof counts>): Promise<BenchResult<keyof typeof counts>> {
  const { seed, counts, options, timeIsUp, progress, signal } = context;
  const { layer } = options;
  if (layer !== undefined && layer !== 'feed' && layer !== 'gateway')
    throw new Error(`--layer must be feed or gateway, not '${layer}'`);
  const common = { seed, progress, events: counts.events, timeIsUp };
  const feed = layer === 'gateway' ? undefined : await runEventTrials(common);
  const gateway =
    layer === 'feed'
      ? undefined
      : await inFolder(options.folder, (folder) => runGatewayEventTrials({ ...common, folder, signal }));
  const both = [feed, gateway].filter((each) => each !== undefined);
  const sum = (name: 'events' | 'gaps' | 'duplicates' | 'outOfOrder' | 'invariants') =>
    both.reduce((total, each) => total + each[name], 0);
  const figures = {
    events: sum('events'),
    gaps: sum('gaps'),
    duplicates: sum('duplicates'),
    outOfOrder: sum('outOfOrder'),
    invariants: sum('invariants'),
    clientsEnded: gateway?.clientsEnded ?? 0,
    feed,
    gateway,
  };
  return { figures, ran: { events: Math.min(...both.map((each) => each.events)) } };
}

/** A folder that was not named is removed afterwards. */
async function inFolder<T>(named: string | undefined, work: (folder: string) => Promise<T>): Promise<T> {
  if (named !== undefined) return work(named);
  const folder = await mkdtemp(join(tmpdir(), 'tidegate-events-'));
  try {
    // Accessible to the user of the embedded servers.
    await chmod(folder, 0o711);
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
