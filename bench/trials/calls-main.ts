// `npm run trials -- calls`: the complete proof of relayed calls, as one JSON line.
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BenchContext, type BenchResult, defineBench } from '../bench.ts';
import { runCallTrials } from './calls.ts';

const mostFindings = 20;

const counts = { trials: { help: 'disturbances', usual: 280, full: 500 } };

export const trialCalls = defineBench({
  counts,
  options: { faults: 'true: the device misbehaves, too', folder: 'keeps the logs of all processes there' },
  run,
});

async function run(context: BenchContext<keyof typeof counts>): Promise<BenchResult<keyof typeof counts>> {
  const { seed, options, timeIsUp, progress, signal } = context;
  const folder = options.folder ?? (await mkdtemp(join(tmpdir(), 'tidegate-calls-')));
  // Accessible to the user of the embedded servers.
  if (options.folder === undefined) await chmod(folder, 0o711);
  progress(`logs in ${folder}`);
  try {
    const faults = options.faults === 'true';
    const { trials } = context.counts;
    const whole = await runCallTrials({ seed, trials, faults, folder, timeIsUp, progress, signal });
    const { findings, seed: _told, ...figures } = whole;
    return { figures: { ...figures, findings: findings.slice(0, mostFindings) }, ran: { trials: whole.trials } };
  } finally {
    if (options.folder === undefined) await rm(folder, { recursive: true, force: true });
  }
}
