// `npm run trials -- gslb-quorum`: vantage points that lie, are silent, late, doubled, reordered, cut off, starved, and whose clocks jump,
// in simulated time, against a judge that knows what was really said.
import { type BenchContext, type BenchResult, defineBench } from '../bench.ts';
import { runRound } from './gslb-quorum/round.ts';
import { faultsOf, noFaults } from './gslb-quorum/verdict.ts';
import { seededRandom } from './random.ts';

const counts = { rounds: { help: 'members, two simulated minutes each', usual: 1_000, full: 10_000 } };

export const trialGslbQuorum = defineBench({ counts, run });

async function run(context: BenchContext<keyof typeof counts>): Promise<BenchResult<keyof typeof counts>> {
  const { seed, counts, timeIsUp, progress, signal } = context;
  const sum = { ...noFaults };
  const did: Record<string, number> = { flips: 0, judgements: 0, lateVerdicts: 0 };
  const add = (name: string, count: number) => {
    did[name] = (did[name] ?? 0) + count;
  };
  const faults: string[] = [];
  let rounds = 0;
  for (; rounds < counts.rounds && !timeIsUp() && !signal.aborted; rounds += 1) {
    const round = runRound(seededRandom(seed + rounds));
    const found = faultsOf(round);
    for (const name of Object.keys(sum) as (keyof typeof sum)[]) {
      sum[name] += found[name];
      if (found[name] > 0) faults.push(`round ${rounds} (--seed ${seed + rounds} --rounds 1): ${found[name]} ${name}`);
    }
    add('flips', round.conductor.flips.length);
    add('judgements', round.conductor.judgements.length);
    add('lateVerdicts', round.conductor.late);
    for (const [name, count] of [...round.faults, ...round.conductor.outcomes]) add(name, count);
    if (rounds % 100 === 99) {
      progress(`${rounds + 1} rounds, ${JSON.stringify(sum)}`);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
  return { figures: { rounds, ...sum, did }, ran: { rounds }, faults: faults.slice(0, 20) };
}
