// The trial of quorums: some of its rounds, and a check that it detects each of the faults that it counts.
import { expect, test } from '@jest/globals';
import type { Vote } from '../../subgraphs/gslb/rules/judge.ts';
import { majorityRule, type Verdict } from '../../subgraphs/gslb/rules/quorum.ts';
import { type Parts, realParts } from '../../trials/gslb-quorum/conductor.ts';
import { runRound } from '../../trials/gslb-quorum/round.ts';
import { type Faults, faultsOf, noFaults } from '../../trials/gslb-quorum/verdict.ts';
import { seededRandom } from '../../trials/random.ts';

const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 1e6));

function faultsWith(parts: Partial<Parts>, rounds: number): Faults {
  const sum = { ...noFaults };
  for (let round = 0; round < rounds; round += 1) {
    const found = faultsOf(runRound(seededRandom(seed + round), { ...realParts, ...parts }));
    for (const name of Object.keys(sum) as (keyof Faults)[]) sum[name] += found[name];
  }
  return sum;
}

test(`no round has a fault (seed ${seed})`, () => {
  expect(faultsWith({}, 40)).toEqual(noFaults);
});

const counting = (vote: Vote): Vote => ({ ...vote, state: 'PRESENT', abstains: false, ageMs: 0 });

test(`votes that are too old, or from a starved vantage point, are noticed (seed ${seed})`, () => {
  const judge: Parts['judge'] = (votes, rule, present) => realParts.judge(votes.map(counting), rule, present);
  expect(faultsWith({ judge }, 20).lateCounted).toBeGreaterThan(0);
  const voteAgeMs = () => 0;
  expect(faultsWith({ voteAgeMs }, 20).lateCounted).toBeGreaterThan(0);
});

test(`a judge that counts the majority of the reporting vantage points is noticed (seed ${seed})`, () => {
  const judge: Parts['judge'] = (votes, rule, present) => {
    const ballots = realParts.judge(votes, rule, present).ballots;
    const speaking = votes.filter((_, at) => ballots[at]?.count === 'COUNTED');
    return realParts.judge(speaking, majorityRule(speaking.length, rule.freshMs), present);
  };
  const found = faultsWith({ judge }, 40);
  expect(found.flipsBySilence).toBeGreaterThan(0);
  expect(found.wrongDown).toBeGreaterThan(0);
});

test.each([
  ['DOWN', 'wrongDown'],
  ['UP', 'wrongUp'],
] as const)(`silence that counts as %s is noticed as %s (seed ${seed})`, (verdict: Verdict, figure) => {
  const judge: Parts['judge'] = (votes, rule, present) => {
    const { ballots } = realParts.judge(votes, rule, present);
    const filled = votes.map((vote, at) => (ballots[at]?.count === 'COUNTED' ? vote : counting({ ...vote, verdict })));
    return realParts.judge(filled, rule, present);
  };
  expect(faultsWith({ judge }, 40)[figure]).toBeGreaterThan(0);
});

test(`a repeated batch that counts is noticed, and so is a verdict that never changes (seed ${seed})`, () => {
  const noteBatch: Parts['noteBatch'] = (state, batch, nowMs, limits) => {
    const noted = realParts.noteBatch(state, batch, nowMs, limits);
    return noted.outcome === 'REPEATED' ? { outcome: 'COUNTED', state, noted: [] } : noted;
  };
  expect(faultsWith({ noteBatch }, 10).doubleCounted).toBeGreaterThan(0);
  const judge: Parts['judge'] = (votes, rule, present) => ({
    ...realParts.judge(votes, rule, present),
    ...{ verdict: present ?? 'UP', changed: present === null },
  });
  expect(faultsWith({ judge }, 20).stuck).toBeGreaterThan(0);
});
