// `npm run trials -- lb-config`: the proof that values remain values in HAProxy's configuration, as one JSON line.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BenchContext, type BenchResult, defineBench } from '../bench.ts';
import { runLbConfig } from './lb-config.ts';

const counts = { inputs: { help: 'values', usual: 100_000 } };

export const trialLbConfig = defineBench({ counts, run });

async function run(context: BenchContext<keyof typeof counts>): Promise<BenchResult<keyof typeof counts>> {
  const { seed, counts, timeIsUp, progress, signal } = context;
  const folder = await mkdtemp(join(tmpdir(), 'tidegate-lb-config-'));
  try {
    const figures = await runLbConfig({ seed, inputs: counts.inputs, folder, timeIsUp, progress, signal });
    const faults = figures.escaped === 0 ? [] : [`${figures.escaped} values became something else`];
    return { figures: { ...figures }, ran: { inputs: figures.inputs }, faults };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
