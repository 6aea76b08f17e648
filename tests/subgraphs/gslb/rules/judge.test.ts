// Votes and verdicts: examples by hand, and properties that hold for random votes.
import { describe, expect, test } from '@jest/globals';
import { judge, judgeByRegion, type Vote } from '../../../../subgraphs/gslb/rules/judge.ts';
import {
  majorityRule,
  type QuorumRule,
  ruleFault,
  type Verdict,
  votesNeeded,
} from '../../../../subgraphs/gslb/rules/quorum.ts';
import { type Random, seededRandom } from '../../../../trials/random.ts';

const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 1e6));
const freshMs = 5_000;
const three = majorityRule(3, freshMs);

function vote(at: number, verdict: Verdict | null, change: Partial<Vote> = {}): Vote {
  return {
    ...{ vantagePoint: `vp${at}`, region: ['eu', 'us', 'ap'][at % 3] ?? 'eu', verdict, ageMs: 100 },
    ...{ abstains: false, state: 'PRESENT' },
    ...change,
  };
}

const votes = (...verdicts: (Verdict | null)[]) => verdicts.map((verdict, at) => vote(at, verdict));

test('enough votes change the verdict, and each vote returns how it counted', () => {
  const given = [vote(0, 'DOWN'), vote(1, 'DOWN', { ageMs: 4_999 }), vote(2, 'UP')];
  expect(judge(given, three, 'UP')).toEqual({
    ...{ verdict: 'DOWN', changed: true, undecided: null, needed: { UP: 2, DOWN: 2 }, dissent: ['vp2'], againInMs: 1 },
    ballots: given.map((each) => ({ ...each, count: 'COUNTED' })),
  });
  expect(judge(votes('UP', 'UP', null), three, null)).toMatchObject({ verdict: 'UP', changed: true });
  expect(judge(votes('UP', 'UP', 'UP'), three, 'UP')).toMatchObject({ changed: false, undecided: null, dissent: [] });
});

test('votes that do not count come with the reason, and the last verdict stands', () => {
  const silent = [
    vote(0, 'DOWN', { ageMs: freshMs }),
    vote(1, 'DOWN', { abstains: true }),
    vote(2, 'DOWN', { state: 'ABSENT' }),
    vote(3, null),
    vote(4, 'DOWN'),
  ];
  const judged = judge(silent, majorityRule(5, freshMs), 'UP');
  expect(judged.ballots.map(({ count }) => count)).toEqual(['STALE', 'ABSTAINED', 'ABSENT', 'NO_VERDICT', 'COUNTED']);
  expect(judged).toMatchObject({ verdict: 'UP', changed: false, undecided: 'TOO_FEW_VOTERS', dissent: ['vp4'] });
  expect(judge([], three, 'DOWN')).toMatchObject({ verdict: 'DOWN', undecided: 'TOO_FEW_VOTERS', againInMs: null });
  expect(judge(votes('UP', 'DOWN'), { ...three, leastVoters: 1 }, 'UP').undecided).toBe('NO_QUORUM');
});

test('one lying vantage point of three flips nothing, even if the others miss checks', () => {
  for (const present of ['UP', 'DOWN'] as const) {
    const lie = present === 'UP' ? 'DOWN' : 'UP';
    for (const others of [
      [present, present],
      [present, null],
      [null, null],
    ] as const)
      expect(judge(votes(lie, ...others), three, present)).toMatchObject({ verdict: present, changed: false });
  }
});

test('votes may have to come from several regions', () => {
  const rule = { ...three, leastRegions: 2 };
  const inEu = [vote(0, 'DOWN'), vote(3, 'DOWN'), vote(1, 'UP')];
  expect(judge(inEu, rule, 'UP')).toMatchObject({ verdict: 'UP', undecided: 'NO_QUORUM' });
  expect(judge([vote(0, 'DOWN'), vote(1, 'DOWN'), vote(3, 'UP')], rule, 'UP').verdict).toBe('DOWN');
});

test('without a verdict no vote dissents', () => {
  expect(judge(votes('UP', 'DOWN', null), three, null)).toMatchObject({ verdict: null, dissent: [] });
});

test('two votes of one vantage point are a bug', () => {
  expect(() => judge([vote(0, 'UP'), vote(0, 'UP')], three, 'UP')).toThrow('two votes');
});

test('each region judges for its own clients', () => {
  const given = [vote(0, 'DOWN'), vote(1, 'UP'), vote(3, 'DOWN'), vote(4, 'UP')];
  const judged = judgeByRegion(given, (count) => majorityRule(count, freshMs), new Map([['eu', 'UP' as const]]));
  expect([...judged].map(([region, { verdict, changed }]) => [region, verdict, changed])).toEqual([
    ['eu', 'DOWN', true],
    ['us', 'UP', true],
  ]);
});

describe('a quorum rule', () => {
  test('that both sides could meet at once needs more votes, so that silence decides nothing', () => {
    const loose: QuorumRule = { ...three, downAtLeast: { count: 2 }, upAtLeast: { percent: 50 }, leastVoters: 1 };
    expect(votesNeeded(loose, 4)).toEqual({ DOWN: 3, UP: 3 });
    expect(ruleFault(loose, ['eu', 'us', 'ap', 'eu'])).toContain('their sum must be larger');
    // Two against two, and then one for UP falls silent.
    expect(judge(votes('DOWN', 'DOWN', 'UP', null), loose, 'UP').verdict).toBe('UP');
    expect(ruleFault(loose, ['eu', 'us', 'ap'])).toBeUndefined();
    expect(votesNeeded({ ...loose, upAtLeast: { percent: 18 }, downAtLeast: { percent: 82 } }, 15)).toEqual({
      UP: 3,
      DOWN: 13,
    });
  });

  test('that requires more votes or regions than there are is refused', () => {
    const regions = ['eu', 'us', 'eu'];
    expect(ruleFault({ ...three, downAtLeast: { count: 4 } }, regions)).toBe(
      '4 votes are needed, and 3 vantage points vote',
    );
    expect(ruleFault({ ...three, leastRegions: 3 }, regions)).toBe(
      'votes from 3 regions are needed, and the vantage points are in 2',
    );
    for (let count = 1; count < 20; count += 1)
      expect(ruleFault(majorityRule(count, freshMs), Array(count).fill('eu'))).toBeUndefined();
  });
});

function randomVotes(random: Random): Vote[] {
  return Array.from({ length: random.integer(1, 7) }, (_, at) =>
    vote(at, random.pick(['UP', 'DOWN', 'DOWN', null]), {
      ageMs: random.integer(0, 7_000),
      abstains: random.next() < 0.1,
      state: random.next() < 0.1 ? 'ABSENT' : 'PRESENT',
    }),
  );
}

function randomRule(random: Random): QuorumRule {
  const share = () => (random.next() < 0.5 ? { count: random.integer(1, 7) } : { percent: random.integer(1, 100) });
  return {
    downAtLeast: share(),
    upAtLeast: share(),
    leastVoters: random.integer(1, 5),
    leastRegions: random.integer(1, 3),
    freshMs,
  };
}

test(`silence, age and abstention never make a verdict, under any rule (seed ${seed})`, () => {
  const random = seededRandom(seed);
  let changes = 0;
  for (let round = 0; round < 10_000; round += 1) {
    const [given, rule, present] = [
      randomVotes(random),
      randomRule(random),
      random.pick(['UP', 'DOWN', null] as const),
    ];
    const before = judge(given, rule, present);
    const quieter = given.map((each): Vote => {
      const change = random.pick<Partial<Vote>>([
        {},
        {},
        { ageMs: 99_999 },
        { abstains: true },
        { state: 'ABSENT' },
        { verdict: null },
      ]);
      return { ...each, ...change };
    });
    const after = judge(quieter, rule, present);
    // A change that happens with fewer votes also happens with all of them.
    if (after.changed && (!before.changed || before.verdict !== after.verdict))
      throw new Error(`round ${round}: ${JSON.stringify({ given, quieter, rule, present })}`);
    if (before.changed) {
      changes += 1;
      const counted = before.ballots.filter(({ count, verdict }) => count === 'COUNTED' && verdict === before.verdict);
      if (counted.length < before.needed[before.verdict ?? 'UP']) throw new Error(`round ${round}`);
    }
    const none = judge(
      given.map((each): Vote => ({ ...each, state: 'ABSENT' })),
      rule,
      present,
    );
    if (none.changed || none.undecided !== 'TOO_FEW_VOTERS')
      throw new Error(`round ${round}: silence changed something`);
  }
  expect(changes).toBeGreaterThan(100);
});
