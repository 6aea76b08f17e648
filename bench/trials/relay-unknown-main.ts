// `npm run trials -- relay-unknown`: the proof of UNKNOWN, as one JSON line.
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BenchContext, type BenchResult, defineBench } from '../bench.ts';
import { seededRandom } from './random.ts';
import { planStops } from './relay-unknown/stops.ts';
import { parts, runRelayUnknown, wires } from './relay-unknown.ts';

const mostFindings = 20;
const usualLanes = { drops: 8, kills: 6, stops: 8, again: 16 };

const counts = {
  drops: { help: 'dropped calls of each kind on each wire', usual: 300, full: 1_000 },
  kills: { help: 'relays killed', usual: 80, full: 200 },
  stops: { help: 'relays stopped', usual: 30, full: 50 },
  again: { help: 'dropped calls of each kind on objects that are called again', usual: 200, full: 3_000 },
};

export const trialRelayUnknown = defineBench({
  counts,
  options: {
    parts: `some of ${parts.join(',')}`,
    wires: `some of ${wires.join(',')}`,
    lanes: `backends of each device for the calls again; default ${usualLanes.again}`,
    folder: 'keeps the logs of all processes there',
  },
  run,
});

async function run(context: BenchContext<keyof typeof counts>): Promise<BenchResult<keyof typeof counts>> {
  const { seed, counts, options, timeIsUp, progress, signal } = context;
  const folder = options.folder ?? (await mkdtemp(join(tmpdir(), 'tidegate-unknown-')));
  // Accessible to the user of the embedded servers.
  if (options.folder === undefined) await chmod(folder, 0o711);
  progress(`folder ${folder}`);
  const lanes = { ...usualLanes, again: Number(options.lanes ?? usualLanes.again) };
  try {
    const {
      findings,
      seed: _told,
      ...figures
    } = await runRelayUnknown({
      ...{ seed, folder, lanes, timeIsUp, progress, signal },
      parts: chosen(options, 'parts', parts),
      wires: chosen(options, 'wires', wires),
      drops: counts.drops,
      kills: counts.kills,
      again: counts.again,
      stops: planStops(counts.stops, seededRandom(seed)),
    });
    return { figures: { ...figures, findings: findings.slice(0, mostFindings) }, ran: figures.ran };
  } finally {
    if (options.folder === undefined) await rm(folder, { recursive: true, force: true });
  }
}

/** Some of the names, separated by commas; default: all. */
function chosen<Name extends string>(options: BenchContext['options'], option: string, names: readonly Name[]): Name[] {
  const text = options[option];
  if (text === undefined) return [...names];
  const given = text.split(',');
  const wrong = given.find((name) => !names.some((each) => each === name));
  if (wrong !== undefined) throw new Error(`--${option}: '${wrong}' is none of ${names.join(', ')}`);
  return names.filter((name) => given.includes(name));
}
