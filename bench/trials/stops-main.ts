// `npm run trials -- stops`: the complete proof of starts and stops of the whole system, as one JSON line.
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ArgumentError } from '../arguments.ts';
import { type BenchContext, type BenchResult, defineBench } from '../bench.ts';
import { type DisturbanceName, disturbanceNames } from './stops/disturbances.ts';
import { runStopTrials } from './stops.ts';

const mostFindings = 20;

const counts = { trials: { help: 'disturbances', usual: 60, full: 500 } };

export const trialStops = defineBench({
  counts,
  options: { only: `names, with commas: ${disturbanceNames.join(', ')}`, folder: 'keeps the log there' },
  run,
});

async function run(context: BenchContext<keyof typeof counts>): Promise<BenchResult<keyof typeof counts>> {
  const { seed, options, timeIsUp, progress, signal } = context;
  const only = options.only?.split(',').map(nameOf);
  const folder = options.folder ?? (await mkdtemp(join(tmpdir(), 'tidegate-stops-')));
  // Accessible to the user of the embedded servers.
  if (options.folder === undefined) await chmod(folder, 0o711);
  progress(`the system's log is in ${folder}`);
  try {
    const { trials } = context.counts;
    const whole = await runStopTrials({
      ...{ seed, trials, folder, timeIsUp, progress, signal },
      ...(only === undefined ? {} : { only }),
    });
    const { findings, seed: _told, ...figures } = whole;
    return { figures: { ...figures, findings: findings.slice(0, mostFindings) }, ran: { trials: whole.trials } };
  } finally {
    if (options.folder === undefined) await rm(folder, { recursive: true, force: true });
  }
}

function nameOf(given: string): DisturbanceName {
  const name = disturbanceNames.find((each) => each === given);
  if (name === undefined) throw new ArgumentError(`--only: there is no '${given}'`);
  return name;
}
