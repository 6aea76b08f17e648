// The number of votes that are enough. The two sides can never both have enough, and a missing vote never helps a side: it counts for the other side.

export type Verdict = 'UP' | 'DOWN';

/** A number of vantage points, or a share of all that watch the member, including silent ones. */
export type Share = { readonly count: number } | { readonly percent: number };

export interface QuorumRule {
  readonly downAtLeast: Share;
  readonly upAtLeast: Share;
  /** With fewer counting votes, the last verdict stands. */
  readonly leastVoters: number;
  /** Number of regions that a side's votes must come from. 1 for any. */
  readonly leastRegions: number;
  /** An older vote does not count. */
  readonly freshMs: number;
}

/** A majority of all vantage points, for both sides. */
export function majorityRule(vantagePoints: number, freshMs: number): QuorumRule {
  const majority = Math.floor(vantagePoints / 2) + 1;
  const share = { count: majority };
  return { downAtLeast: share, upAtLeast: share, leastVoters: majority, leastRegions: 1, freshMs };
}

/**
 * The votes that each side needs of `watching` vantage points. If the rule would let both sides have enough, each needs so many that the other can't
 * reach its number, whatever the missing votes are. Otherwise a silent vantage point would decide for the other side.
 */
export function votesNeeded(rule: QuorumRule, watching: number): Readonly<Record<Verdict, number>> {
  const [down, up] = [asked(rule.downAtLeast, watching), asked(rule.upAtLeast, watching)];
  if (down + up > watching) return { DOWN: down, UP: up };
  return { DOWN: Math.max(down, watching - up + 1), UP: Math.max(up, watching - down + 1) };
}

/** Reason why a rule can't work with vantage points in these regions (one entry per vantage point). Undefined if it can. */
export function ruleFault(rule: QuorumRule, regions: readonly string[]): string | undefined {
  const watching = regions.length;
  const [down, up] = [asked(rule.downAtLeast, watching), asked(rule.upAtLeast, watching)];
  const most = Math.max(down, up, rule.leastVoters);
  if (most > watching) return `${most} votes are needed, and ${watching} vantage points vote`;
  const different = new Set(regions).size;
  if (rule.leastRegions > different)
    return `votes from ${rule.leastRegions} regions are needed, and the vantage points are in ${different}`;
  if (down + up <= watching)
    return `${down} votes for DOWN and ${up} for UP can come together from ${watching} vantage points: their sum must be larger`;
  return undefined;
}

function asked(share: Share, watching: number): number {
  // A product of floating numbers may be a hair above a whole one.
  const votes = 'count' in share ? share.count : Math.ceil((share.percent * watching) / 100 - 1e-9);
  return Math.max(votes, 1);
}
