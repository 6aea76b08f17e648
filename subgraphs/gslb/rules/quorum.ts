// How many votes are enough. The two sides can never both have enough, and a vote that is missing never helps a side: it counts like
// one for the other.

export type Verdict = 'UP' | 'DOWN';

/** A number of vantage points, or a share of all that watch the member: silent ones too. */
export type Share = { readonly count: number } | { readonly percent: number };

export interface QuorumRule {
  readonly downAtLeast: Share;
  readonly upAtLeast: Share;
  /** With fewer counting votes, the last verdict stands. */
  readonly leastVoters: number;
  /** A side's votes must come from so many regions; 1: from any. */
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
 * The votes that each side needs of `watching` vantage points. Where a rule would let both sides have enough, each needs so many that the
 * other can't, however those vote that do not count now; else the silence of one would decide for the other.
 */
export function votesNeeded(rule: QuorumRule, watching: number): Readonly<Record<Verdict, number>> {
  const [down, up] = [asked(rule.downAtLeast, watching), asked(rule.upAtLeast, watching)];
  if (down + up > watching) return { DOWN: down, UP: up };
  return { DOWN: Math.max(down, watching - up + 1), UP: Math.max(up, watching - down + 1) };
}

/** Why a rule can't work with vantage points in these regions (one entry per vantage point), in words. Undefined if it can. */
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
