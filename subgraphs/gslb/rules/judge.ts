// The verdict on a member by the votes of its vantage points. Pure: the conductor gives the votes with their ages, and stores what comes
// back: each vote, whether it counted, and why not. Silence, age and abstention are never DOWN: a verdict changes only by votes for the
// new one, and never because others are missing (quorum.ts).
import { type QuorumRule, type Verdict, votesNeeded } from './quorum.ts';

/** The last known vote of a vantage point on a member. All vantage points that should vote have an entry, including silent ones. */
export interface Vote {
  readonly vantagePoint: string;
  readonly region: string;
  /** Null if it has not reported yet, or its checks had no result. */
  readonly verdict: Verdict | null;
  /** Age of the vote by the conductor's own clock (batch-ledger.ts). */
  readonly ageMs: number;
  /** It can't reach its beacons, or lacks CPU time, so its results are no information about members. */
  readonly abstains: boolean;
  /** Whether any process of the vantage point reports. */
  readonly state: 'PRESENT' | 'ABSENT';
  /** None of its checkers has the monitor's plugin. */
  readonly lacksPlugin?: boolean;
}

export type Count = 'COUNTED' | 'ABSENT' | 'ABSTAINED' | 'NO_VERDICT' | 'NO_PLUGIN' | 'STALE';

export interface Ballot extends Vote {
  readonly count: Count;
}

export interface Judgement {
  /** Null if there has been none yet. */
  readonly verdict: Verdict | null;
  readonly changed: boolean;
  /** Why the last verdict stays unconfirmed. The conductor stores since when. Null if enough votes support the verdict. */
  readonly undecided: 'TOO_FEW_VOTERS' | 'NO_QUORUM' | null;
  readonly ballots: readonly Ballot[];
  readonly needed: Readonly<Record<Verdict, number>>;
  /** Vantage points whose votes counted against the verdict. */
  readonly dissent: readonly string[];
  /** Time until the next vote that counts becomes too old. Null if no vote counts. */
  readonly againInMs: number | null;
}

/** `present`: the last verdict. Throws when a vantage point has two votes, because its processes are one voter. */
export function judge(votes: readonly Vote[], rule: QuorumRule, present: Verdict | null): Judgement {
  const seen = new Set(votes.map(({ vantagePoint }) => vantagePoint));
  if (seen.size < votes.length) throw new Error('a vantage point has two votes on one member');
  const ballots = votes.map((vote): Ballot => ({ ...vote, count: countOf(vote, rule) }));
  const counted = ballots.filter(({ count }) => count === 'COUNTED');
  const needed = votesNeeded(rule, votes.length);
  const winner = winnerOf(counted, rule, needed);
  const verdict = winner ?? present;
  const ages = counted.map(({ ageMs }) => rule.freshMs - ageMs);
  return {
    verdict,
    changed: verdict !== present,
    undecided: winner !== null ? null : counted.length < rule.leastVoters ? 'TOO_FEW_VOTERS' : 'NO_QUORUM',
    ballots,
    needed,
    dissent: counted
      .filter((ballot) => verdict !== null && ballot.verdict !== verdict)
      .map(({ vantagePoint }) => vantagePoint),
    againInMs: ages.length === 0 ? null : Math.min(...ages),
  };
}

function countOf({ state, abstains, verdict, ageMs, lacksPlugin }: Vote, { freshMs }: QuorumRule): Count {
  if (state === 'ABSENT') return 'ABSENT';
  if (lacksPlugin === true) return 'NO_PLUGIN';
  if (abstains) return 'ABSTAINED';
  if (verdict === null) return 'NO_VERDICT';
  return ageMs < freshMs ? 'COUNTED' : 'STALE';
}

function winnerOf(
  counted: readonly Ballot[],
  { leastVoters, leastRegions }: QuorumRule,
  needed: Readonly<Record<Verdict, number>>,
): Verdict | null {
  if (counted.length < leastVoters) return null;
  const wins = (side: Verdict) => {
    const votes = counted.filter(({ verdict }) => verdict === side);
    return votes.length >= needed[side] && new Set(votes.map(({ region }) => region)).size >= leastRegions;
  };
  return wins('DOWN') ? 'DOWN' : wins('UP') ? 'UP' : null;
}

/** `scope: REGION`: each region's own vantage points judge for its clients. */
export function judgeByRegion(
  votes: readonly Vote[],
  ruleOf: (vantagePoints: number) => QuorumRule,
  present: ReadonlyMap<string, Verdict>,
): ReadonlyMap<string, Judgement> {
  const byRegion = Map.groupBy(votes, ({ region }) => region);
  return new Map(
    [...byRegion].map(([region, own]) => [region, judge(own, ruleOf(own.length), present.get(region) ?? null)]),
  );
}
