// The current vote of each vantage point that watches a member, including silent ones, and whether it counts: by the same
// function that computes verdicts (rules/judge.ts).
import type { Sql } from '../../../../platform/database/database.ts';
import type { Ballot } from '../../rules/judge.ts';
import { readMembers } from '../stores/standing-store.ts';
import { readWatching } from './electorate.ts';
import type { EvaluationDependencies } from './evaluate-members.ts';
import { judgeMonitors } from './member-evaluation.ts';

export interface PresentVote extends Pick<Ballot, 'vantagePoint' | 'region' | 'verdict' | 'count'> {
  readonly memberId: string;
  readonly monitorId: string;
  readonly since: Date | null;
  /** Null if there is no verdict. */
  readonly ageMs: number | null;
  readonly dissents: boolean;
  readonly latencyMs: number | null;
  readonly message: string | null;
}

export type VotingDependencies = Pick<EvaluationDependencies, 'silenceMs' | 'freshMs' | 'egress'>;

/** Votes by member, in the order of monitors and of vantage points. */
export async function presentVotes(
  db: Sql,
  dependencies: VotingDependencies,
  memberIds: readonly string[],
): Promise<ReadonlyMap<string, readonly PresentVote[]>> {
  const members = await readMembers(db, memberIds);
  const watching = await readWatching(db, members, dependencies);
  return new Map(
    members.map((member) => [
      member.id,
      judgeMonitors(watching, member).flatMap(({ monitorId, votes, overall: { ballots, dissent } }) => {
        const rows = new Map(votes.map(({ vantagePoint, row }) => [vantagePoint, row]));
        return ballots.map(({ vantagePoint, region, verdict, count, ageMs }): PresentVote => {
          const row = rows.get(vantagePoint);
          return {
            ...{ memberId: member.id, monitorId, vantagePoint, region, verdict, count },
            ...{ since: row?.sinceAt ?? null, ageMs: verdict === null ? null : ageMs },
            ...{ dissents: dissent.includes(vantagePoint) },
            ...{ latencyMs: row?.latencyMs ?? null, message: row?.message ?? null },
          };
        });
      }),
    ]),
  );
}
