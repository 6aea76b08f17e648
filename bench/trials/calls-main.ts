// `npm run trials -- calls`: the whole proof of relayed calls, as one JSON line. With `--faults true` the device misbehaves,
// too; `--folder DIR` keeps the logs of all processes.
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Bench } from '../bench.ts';
import { runCallTrials } from './calls.ts';
import { numberOption } from './options.ts';

const mostFindings = 20;

export const trialCalls: Bench = async ({ options, progress, signal }) => {
  const seed = numberOption(options, 'seed') ?? Math.floor(Math.random() * 2 ** 31);
  const trials = numberOption(options, 'trials') ?? 500;
  const folder = options.folder ?? (await mkdtemp(join(tmpdir(), 'tidegate-calls-')));
  // Passable for the user that the embedded servers run as.
  if (options.folder === undefined) await chmod(folder, 0o711);
  progress(`seed ${seed}; logs in ${folder}`);
  try {
    const faults = options.faults === 'true';
    const { findings, ...figures } = await runCallTrials({ seed, trials, faults, folder, progress, signal });
    return { ...figures, findings: findings.slice(0, mostFindings) };
  } finally {
    if (options.folder === undefined) await rm(folder, { recursive: true, force: true });
  }
};
