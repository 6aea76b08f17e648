// `npm run trials -- relay-netconf`: the proof that NETCONF sessions can be cut anywhere, as one JSON line.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BenchContext, type BenchResult, defineBench } from '../bench.ts';
import { runRelayNetconf } from './relay-netconf.ts';

const mostFindings = 20;

const counts = { trials: { help: 'cut sessions', usual: 500, full: 2_000 } };

export const trialRelayNetconf = defineBench({
  counts,
  options: { folder: "keeps the server's logs there" },
  run,
});

async function run(context: BenchContext<keyof typeof counts>): Promise<BenchResult<keyof typeof counts>> {
  const { seed, counts, options, timeIsUp, progress, signal } = context;
  const folder = options.folder ?? (await mkdtemp(join(tmpdir(), 'tidegate-netconf-')));
  progress(`logs in ${folder}`);
  try {
    const whole = await runRelayNetconf({ seed, trials: counts.trials, folder, timeIsUp, progress, signal });
    const { findings, seed: _told, ...figures } = whole;
    return { figures: { ...figures, findings: findings.slice(0, mostFindings) }, ran: { trials: whole.trials } };
  } finally {
    if (options.folder === undefined) await rm(folder, { recursive: true, force: true });
  }
}
