// `npm run trials -- dns-answers`: the name server under damaged packets and slow clients, and judged by delv and dig, as one JSON line.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BenchContext, type BenchResult, defineBench } from '../bench.ts';
import { runDnsAnswers } from './dns-answers.ts';

const counts = {
  packets: { help: 'damaged packets', usual: 100_000, full: 1_000_000 },
  answers: { help: 'signed answers and denials, and as many explained ones', usual: 1_000, full: 10_000 },
};

export const trialDnsAnswers = defineBench({ counts, run });

async function run(context: BenchContext<keyof typeof counts>): Promise<BenchResult<keyof typeof counts>> {
  const { seed, timeIsUp, progress, signal } = context;
  const folder = await mkdtemp(join(tmpdir(), 'tidegate-dns-answers-'));
  try {
    const result = await runDnsAnswers({ seed, ...context.counts, folder, timeIsUp, progress, signal });
    const { packets, answers, crashes, wrongReplies, bogus, explainMismatches } = result;
    const faulty = crashes + wrongReplies + bogus + explainMismatches > 0;
    return { figures: { ...result }, ran: { packets, answers }, faults: faulty ? result.findings : [] };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
