// Who may vote on members, and what is known of the votes, as the conductor reads it once for many members.
import type { Sql } from '../../../platform/database/database.ts';
import type { EgressPolicy } from '../../../platform/net/egress.ts';
import type { Vote } from '../engine/judge.ts';
import { type CheckerRow, databaseNow, isPresent, readCheckers, stateOf } from './checker-store.ts';
import { graphVoter } from './followed-store.ts';
import type { JudgedMember, MonitorUse, PoolRule } from './judged-store.ts';
import { monitorsOf, poolRules } from './judged-store.ts';
import { voteAgeMs } from './report-ledger.ts';
import { isAskedInGraph, placeOf, watches, watchesType } from './targets.ts';
import { readVantagePoints, type VantageRow } from './vantage-store.ts';
import { readVerdicts, readVotes, type VerdictRow, type VoteRow } from './vote-store.ts';

export interface Watching {
  readonly nowMs: number;
  readonly vantagePoints: readonly VantageRow[];
  readonly checkers: ReadonlyMap<string, CheckerRow>;
  /** Vantage points with a checker that was heard. */
  readonly present: ReadonlySet<string>;
  readonly pools: ReadonlyMap<string, PoolRule>;
  /** By member, and by pool. */
  readonly uses: ReadonlyMap<string, readonly MonitorUse[]>;
  readonly votes: ReadonlyMap<string, readonly VoteRow[]>;
  readonly verdicts: ReadonlyMap<string, readonly VerdictRow[]>;
  readonly egress: EgressPolicy;
  /** What a checker says later than so is not a vote. */
  readonly freshMs: number;
}

export async function readWatching(
  db: Sql,
  members: readonly Pick<JudgedMember, 'id' | 'poolId'>[],
  {
    silenceMs,
    egress,
    freshMs,
  }: { readonly silenceMs: number; readonly egress: EgressPolicy; readonly freshMs: number },
  /** Their monitors, if they were read already. */
  known?: readonly MonitorUse[],
): Promise<Watching> {
  const ids = members.map(({ id }) => id);
  const vantagePoints = await readVantagePoints(db);
  const checkers = await readCheckers(db);
  const [votes, verdicts] = [await readVotes(db, ids), await readVerdicts(db, ids)];
  const uses = known ?? (await monitorsOf(db, members));
  const pools = await poolRules(db, [...new Set(members.map(({ poolId }) => poolId))]);
  const nowMs = await databaseNow(db);
  const epochs = new Map(vantagePoints.map(({ id, epoch }) => [id, epoch]));
  const sharing = checkers.filter((checker) => epochs.get(checker.vantagePointId) === checker.epoch);
  return {
    ...{ nowMs, vantagePoints, egress, pools, freshMs },
    checkers: new Map(checkers.map((checker) => [checker.id, checker])),
    present: new Set(
      sharing.filter((each) => isPresent(each, nowMs, silenceMs)).map(({ vantagePointId }) => vantagePointId),
    ),
    uses: Map.groupBy(uses, ({ poolId, memberId }) => memberId ?? poolId ?? ''),
    votes: Map.groupBy(votes, ({ memberId }) => memberId),
    verdicts: Map.groupBy(verdicts, ({ memberId }) => memberId),
  };
}

/** Each once, although a pool and a member may use the same. */
export function monitorsOn(
  { uses }: Watching,
  { id, poolId, spec }: Pick<JudgedMember, 'id' | 'poolId' | 'spec'>,
): MonitorUse[] {
  const all = [...(uses.get(poolId) ?? []), ...(uses.get(id) ?? [])].filter((use) => watchesType(spec, use.spec));
  return [...new Map(all.map((use) => [use.monitorId, use])).values()].sort((one, other) =>
    one.monitorId < other.monitorId ? -1 : 1,
  );
}

/** It holds until another one is stored (balancer-follower.ts). */
function graphVote(row: VoteRow | undefined): KnownVote {
  const verdict = row?.verdict ?? null;
  return { vantagePoint: 'the graph', region: '', row, verdict, ageMs: 0, abstains: false, state: 'PRESENT' };
}

export interface KnownVote extends Vote {
  readonly row: VoteRow | undefined;
}

/** Of all vantage points that watch the member by this monitor, the silent ones too; `vantagePoint` is the name. */
export function votesOn(watching: Watching, member: JudgedMember, monitor: MonitorUse): readonly KnownVote[] {
  const { vantagePoints, checkers, present, pools, nowMs, egress, freshMs } = watching;
  const place = placeOf(member.spec, monitor.spec);
  const only = pools.get(member.poolId)?.vantagePoints ?? new Set();
  const said = (watching.votes.get(member.id) ?? []).filter(({ monitorId }) => monitorId === monitor.monitorId);
  const byVantagePoint = new Map(said.map((row) => [row.vantagePointId, row]));
  if (isAskedInGraph(monitor.spec)) return [graphVote(byVantagePoint.get(graphVoter))];
  if (place === undefined) return [];
  return vantagePoints
    .filter(({ name, spec }) => (only.size === 0 || only.has(name)) && watches(spec, place, egress))
    .map(({ id, name, region, epoch }) => {
      const row = byVantagePoint.get(id);
      const checker = row === undefined ? undefined : checkers.get(row.checkerId);
      // What was said in an earlier epoch counts no more: the target may be another's now.
      const ageMs =
        row === undefined || checker?.vantagePointId !== id
          ? null
          : voteAgeMs({ ...stateOf(checker, name), epoch }, row, nowMs);
      return {
        ...{ vantagePoint: name, region, row: ageMs === null ? undefined : row },
        verdict: ageMs === null ? null : (row?.verdict ?? null),
        ageMs: ageMs ?? 0,
        abstains: checker !== undefined && (checker.abstains || wasLate(checker, freshMs)),
        state: present.has(id) ? ('PRESENT' as const) : ('ABSENT' as const),
      };
    });
}

/** Its last batch came too late to count: its next one says whether what it said holds. */
function wasLate({ saidAt, heardAt }: CheckerRow, freshMs: number): boolean {
  return saidAt !== null && heardAt !== null && heardAt.getTime() - saidAt.getTime() >= freshMs;
}
