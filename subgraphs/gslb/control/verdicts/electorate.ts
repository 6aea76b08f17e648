// The vantage points that may vote on members, and the data that decides whether their votes count, read once for many members.
import type { Sql } from '../../../../platform/database/database.ts';
import type { EgressPolicy } from '../../../../platform/net/egress.ts';
import type { Vote } from '../../rules/judge.ts';
import { voteAgeMs } from '../stores/batch-ledger.ts';
import { type CheckerRow, databaseNow, isPresent, readCheckers, stateOf } from '../stores/checker-store.ts';
import { hasPlugin, type Sharer } from '../stores/sharing.ts';
import type { EvaluatedMember, MonitorUse, PoolRule } from '../stores/standing-store.ts';
import { monitorsOf, poolRules } from '../stores/standing-store.ts';
import { readVantagePoints, type VantageRow } from '../stores/vantage-store.ts';
import { readVerdicts, readVotes, type VerdictRow, type VoteRow } from '../stores/vote-store.ts';
import { isAskedInGraph, placeOf, pluginOf, watches, watchesType } from '../targets/targets.ts';
import { graphVoter } from './followed-store.ts';

export interface Watching {
  readonly nowMs: number;
  readonly vantagePoints: readonly VantageRow[];
  readonly checkers: ReadonlyMap<string, CheckerRow>;
  /** Vantage points with a checker that reports. */
  readonly present: ReadonlySet<string>;
  /** Checkers that share the targets, by vantage point. */
  readonly sharers: ReadonlyMap<string, readonly Sharer[]>;
  readonly pools: ReadonlyMap<string, PoolRule>;
  /** Keyed by member and by pool. */
  readonly uses: ReadonlyMap<string, readonly MonitorUse[]>;
  readonly votes: ReadonlyMap<string, readonly VoteRow[]>;
  readonly verdicts: ReadonlyMap<string, readonly VerdictRow[]>;
  readonly egress: EgressPolicy;
  /** A batch that arrives later than this is no vote. */
  readonly freshMs: number;
}

export async function readWatching(
  db: Sql,
  members: readonly Pick<EvaluatedMember, 'id' | 'poolId'>[],
  {
    silenceMs,
    egress,
    freshMs,
  }: { readonly silenceMs: number; readonly egress: EgressPolicy; readonly freshMs: number },
  /** Their monitors, if already known. */
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
    sharers: Map.groupBy(sharing, ({ vantagePointId }) => vantagePointId),
    present: new Set(
      sharing.filter((each) => isPresent(each, nowMs, silenceMs)).map(({ vantagePointId }) => vantagePointId),
    ),
    uses: Map.groupBy(uses, ({ poolId, memberId }) => memberId ?? poolId ?? ''),
    votes: Map.groupBy(votes, ({ memberId }) => memberId),
    verdicts: Map.groupBy(verdicts, ({ memberId }) => memberId),
  };
}

/** Lists each monitor once, even if a pool and a member both use it. */
export function monitorsOn(
  { uses }: Watching,
  { id, poolId, spec }: Pick<EvaluatedMember, 'id' | 'poolId' | 'spec'>,
): MonitorUse[] {
  const all = [...(uses.get(poolId) ?? []), ...(uses.get(id) ?? [])].filter((use) => watchesType(spec, use.spec));
  return [...new Map(all.map((use) => [use.monitorId, use])).values()].sort((one, other) =>
    one.monitorId < other.monitorId ? -1 : 1,
  );
}

/** The vote holds until another one is stored (balancer-follower.ts). */
function graphVote(row: VoteRow | undefined): KnownVote {
  const verdict = row?.verdict ?? null;
  return { vantagePoint: 'the graph', region: '', row, verdict, ageMs: 0, abstains: false, state: 'PRESENT' };
}

export interface KnownVote extends Vote {
  readonly row: VoteRow | undefined;
}

/** Votes of all vantage points that watch the member by this monitor, including silent ones. `vantagePoint` is the name. */
export function votesOn(watching: Watching, member: EvaluatedMember, monitor: MonitorUse): readonly KnownVote[] {
  const { vantagePoints, checkers, present, sharers, pools, nowMs, egress, freshMs } = watching;
  const type = pluginOf(monitor.spec);
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
      // A batch from an earlier epoch no longer counts: the target may belong to another checker now.
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
        lacksPlugin: !(sharers.get(id) ?? []).some((each) => hasPlugin(each, type)),
      };
    });
}

/** Whether its last batch arrived too late to count. The next one shows whether its content still holds. */
function wasLate({ saidAt, heardAt }: CheckerRow, freshMs: number): boolean {
  return saidAt !== null && heardAt !== null && heardAt.getTime() - saidAt.getTime() >= freshMs;
}
