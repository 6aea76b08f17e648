// `npm run trials -- gslb-quorum`: vantage points that lie, are silent, late, duplicated, reordered, cut off or starved, and whose clocks
// jump. Runs in simulated time, against a judge that knows what was really reported.
import { defineTrial, type TrialRun } from './define-trial.ts';
import { runRound } from './gslb-quorum/round.ts';
import { type Faults, faultsOf, noFaults } from './gslb-quorum/verdict.ts';
import { seededRandom } from './random.ts';

export const trialGslbQuorum = defineTrial({
  counts: { rounds: { help: 'members, two simulated minutes each', usual: 1_000, full: 10_000 } },
  run: runQuorumTrials,
  mustBeZero: Object.keys(noFaults) as (keyof Faults)[],
});

async function runQuorumTrials(given: Required<TrialRun> & { readonly rounds: number }) {
  const { seed, timeIsUp, progress, signal } = given;
  const sum = { ...noFaults };
  const did: Record<string, number> = { flips: 0, judgements: 0, lateVerdicts: 0 };
  const add = (name: string, count: number) => {
    did[name] = (did[name] ?? 0) + count;
  };
  const findings: string[] = [];
  let rounds = 0;
  for (; rounds < given.rounds && !timeIsUp() && !signal.aborted; rounds += 1) {
    const round = runRound(seededRandom(seed + rounds));
    const found = faultsOf(round);
    for (const name of Object.keys(sum) as (keyof typeof sum)[]) {
      sum[name] += found[name];
      if (found[name] > 0)
        findings.push(`round ${rounds} (--seed ${seed + rounds} --rounds 1): ${found[name]} ${name}`);
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
  return { rounds, ...sum, did, findings };
}
