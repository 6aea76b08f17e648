// `npm run trials -- events`: the whole proof of the event stream in both of its layers, as one JSON line. With `--layer feed`
// or `--layer gateway` only one of them; `--folder DIR` keeps the logs of the processes behind the gateway.
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Bench } from '../bench.ts';
import { runEventTrials } from './events.ts';
import { runGatewayEventTrials } from './events-gateway.ts';
import { numberOption } from './options.ts';

export const trialEvents: Bench = async ({ options, progress, signal }) => {
  const seed = numberOption(options, 'seed') ?? Math.floor(Math.random() * 2 ** 31);
  const events = numberOption(options, 'events');
  const { layer } = options;
  if (layer !== undefined && layer !== 'feed' && layer !== 'gateway')
    throw new Error(`--layer must be feed or gateway, not '${layer}'`);
  progress(`seed ${seed}`);
  const common = { seed, progress, ...(events === undefined ? {} : { events }) };
  const feed = layer === 'gateway' ? undefined : await runEventTrials(common);
  const gateway =
    layer === 'feed'
      ? undefined
      : await inFolder(options.folder, (folder) => runGatewayEventTrials({ ...common, folder, signal }));
  const both = [feed, gateway].filter((each) => each !== undefined);
  const sum = (name: 'events' | 'gaps' | 'duplicates' | 'outOfOrder') =>
    both.reduce((total, each) => total + each[name], 0);
  return {
    seed,
    events: sum('events'),
    gaps: sum('gaps'),
    duplicates: sum('duplicates'),
    outOfOrder: sum('outOfOrder'),
    clientsEnded: gateway?.clientsEnded ?? 0,
    feed,
    gateway,
  };
};

/** A folder that was not named goes again afterwards. */
async function inFolder<T>(named: string | undefined, work: (folder: string) => Promise<T>): Promise<T> {
  if (named !== undefined) return work(named);
  const folder = await mkdtemp(join(tmpdir(), 'tidegate-events-'));
  try {
    // Passable for the user that the embedded servers run as.
    await chmod(folder, 0o711);
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
