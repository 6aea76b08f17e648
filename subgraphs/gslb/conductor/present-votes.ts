// What each vantage point that watches a member says of it now, the silent ones too, and whether that counts: by the one function that
// judges (engine/judge.ts).
import type { Sql } from '../../../platform/database/database.ts';
import type { Ballot } from '../engine/judge.ts';
import { readWatching } from './electorate.ts';
import { judgeMonitors } from './judged-member.ts';
import { readMembers } from './judged-store.ts';
import type { JudgingParts } from './judging.ts';

export interface PresentVote extends Pick<Ballot, 'vantagePoint' | 'region' | 'verdict' | 'count'> {
  readonly memberId: string;
  readonly monitorId: string;
  readonly since: Date | null;
  /** Null: there is no verdict. */
  readonly ageMs: number | null;
  readonly dissents: boolean;
  readonly latencyMs: number | null;
  readonly message: string | null;
}

export type VotingParts = Pick<JudgingParts, 'silenceMs' | 'freshMs' | 'egress'>;

/** By member, in the order of monitors and of vantage points. */
export async function presentVotes(
  db: Sql,
  parts: VotingParts,
  memberIds: readonly string[],
): Promise<ReadonlyMap<string, readonly PresentVote[]>> {
  const members = await readMembers(db, memberIds);
  const watching = await readWatching(db, members, parts);
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
