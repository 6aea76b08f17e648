// Evaluates a member's votes, and determines what must be stored. Pure: evaluate-members.ts reads and writes.

import type { StatusEvent } from '../../../../platform/events/kinds.ts';
import { type Judgement, judge, judgeByRegion } from '../../rules/judge.ts';
import { toldLatency } from '../../rules/latency.ts';
import { type KeptVerdict, type MemberStanding, memberStanding, type Settled, settle } from '../../rules/member.ts';
import { majorityRule, type QuorumRule, ruleFault, type Verdict } from '../../rules/quorum.ts';
import { soonest } from '../../rules/soonest.ts';
import { operatingChanges } from '../../rules/states.ts';
import { leastFreshMs, type QuorumSpec, quorumRule } from '../../spec/specs.ts';
import type { gslbEvents } from '../events.ts';
import type { EvaluatedMember, RegionLatency, RegionState, Standing } from '../stores/standing-store.ts';
import type { VerdictRow } from '../stores/vote-store.ts';
import { isAskedInGraph } from '../targets/targets.ts';
import { type KnownVote, monitorsOn, votesOn, type Watching } from './electorate.ts';
import type { FlipBallot, NewFlip } from './flip-store.ts';

interface MemberEvaluation {
  readonly member: EvaluatedMember;
  /** Undefined if nothing must be stored. */
  readonly standing: Standing | undefined;
  readonly verdicts: readonly VerdictRow[];
  readonly flips: readonly NewFlip[];
  readonly events: readonly StatusEvent<typeof gslbEvents>[];
  /** Whether name servers need to know of the change. */
  readonly answersChange: boolean;
  /**
   * Time until the next change without a report: a failback, the end of an administrator's state, or votes that may count again. Null if there is
   * none.
   */
  readonly againInMs: number | null;
}

interface MonitorJudgement {
  readonly monitorId: string;
  readonly votes: readonly KnownVote[];
  readonly overall: Judgement;
  readonly byRegion: ReadonlyMap<string, Judgement>;
  /** Whether its verdict is the same in each region. */
  readonly everywhere: boolean;
  /** How long the verdict that all votes together would give has been missing. Null if they would give the present verdict. */
  readonly waitingForMs: number | null;
}

/** Minimum wait before votes that do not count are evaluated again. It grows with the time that this lasts. */
const leastWaitMs = 1_000;

export function evaluateMember(watching: Watching, member: EvaluatedMember): MemberEvaluation {
  const monitors = judgeMonitors(watching, member);
  const { nowMs } = watching;
  const failback = watching.pools.get(member.poolId)?.spec.failback ?? { mode: 'IMMEDIATE' };
  // Votes becoming too old cause no work for the member: a checker's heartbeat covers all its votes (checker-watcher.ts).
  const settled = (judgements: readonly Judgement[], before: KeptVerdict) =>
    settle(
      judgements.map(({ verdict, undecided }) => ({ verdict, undecided, againInMs: null })),
      before,
      failback,
    );
  const overall = settled(
    monitors.map((each) => each.overall),
    keptOf(member, nowMs),
  );
  const regions = [...new Set(monitors.flatMap(({ byRegion }) => [...byRegion.keys()]))].sort();
  const byRegion = new Map(
    regions.map((region) => {
      const judgements = monitors.flatMap((each) =>
        each.everywhere ? each.overall : (each.byRegion.get(region) ?? []),
      );
      return [region, settled(judgements, keptOf(member.regionStates[region], nowMs))];
    }),
  );
  const endsInMs = member.adminUntil === null ? null : member.adminUntil.getTime() - nowMs;
  const now = memberStanding({
    memberId: member.id,
    admin: { state: member.adminState, endsInMs },
    ...{ overall, byRegion },
  });
  return whatChanges(watching, member, { monitors, overall, byRegion, now });
}

interface Found {
  readonly monitors: readonly MonitorJudgement[];
  readonly overall: Settled;
  readonly byRegion: ReadonlyMap<string, Settled>;
  readonly now: MemberStanding;
}

function whatChanges(
  { nowMs, verdicts }: Watching,
  member: EvaluatedMember,
  { monitors, overall, byRegion, now }: Found,
): MemberEvaluation {
  const at = new Date(nowMs);
  const status = now.status ?? member.operatingStatus;
  const wasUp = member.adminState === 'FORCED_UP' || member.serving;
  const standing: Standing = {
    ...{ verdict: overall.verdict, verdictAt: overall.changed ? at : member.verdictAt },
    ...{ serving: overall.kept.serving, wasDown: overall.kept.wasDown, released: overall.kept.released },
    regionStates: Object.fromEntries(
      [...byRegion].map(([region, each]) => [region, regionState(each, member.regionStates[region], at)]),
    ),
    undecidedAt: overall.undecided ? (member.undecidedAt ?? at) : null,
    adminState: now.adminState,
    adminUntil: now.adminState === 'AUTO' ? null : member.adminUntil,
    operatingStatus: status,
    statusMessage: now.status === null ? 'no verdict yet' : now.message,
    // The moment at which it was last seen to serve.
    lastUpAt: wasUp && !now.up ? at : member.lastUpAt,
    latency: latencyAfter(member.latency, monitors),
    version: member.version,
  };
  const flips = flipsOf(member, monitors, overall, byRegion);
  const events = eventsOf(member, standing, overall, flips[0]?.reason ?? now.message);
  const isSame = events.length === 0 && flips.length === 0 && textOf(standing) === textOf(member);
  return {
    ...{ member, flips, events, againInMs: soonest([now.againInMs, ...monitors.map(lookAgainInMs)]) },
    standing: isSame ? undefined : { ...standing, version: member.version + events.length },
    verdicts: changedVerdicts(member, monitors, verdicts.get(member.id) ?? [], at),
    answersChange: answerOf(standing) !== answerOf(member),
  };
}

/** Judges each of its monitors. */
export function judgeMonitors(watching: Watching, member: EvaluatedMember): readonly MonitorJudgement[] {
  const pool = watching.pools.get(member.poolId);
  if (pool === undefined) return [];
  const { quorum, scope } = pool.spec;
  const uses = monitorsOn(watching, member);
  const longestDelayMs = Math.max(0, ...uses.map(({ spec }) => spec.delayMs));
  const before = watching.verdicts.get(member.id) ?? [];
  return uses.map((use) => {
    const votes = votesOn(watching, member, use);
    const own = before.filter(({ monitorId }) => monitorId === use.monitorId);
    const present = new Map(
      own.flatMap(({ region, verdict }) => (verdict === null ? [] : [[region, verdict] as const])),
    );
    // A status has one voter, so the pool's rule for vantage points does not apply.
    const everywhere = isAskedInGraph(use.spec);
    const rule = everywhere ? majorityRule(1, leastFreshMs) : quorumRule(quorum, votes.length, longestDelayMs);
    const judged = (ballots: readonly KnownVote[]) => ({
      overall: judge(ballots, rule, present.get('') ?? null),
      byRegion:
        scope === 'REGION' && !everywhere
          ? judgeByRegion(ballots, (count) => regionRule(quorum, count, longestDelayMs), present)
          : new Map<string, Judgement>(),
    });
    const now = judged(votes);
    const ifAllCounted = judged(votes.map((vote) => ({ ...vote, ageMs: 0, abstains: false, state: 'PRESENT' })));
    const isSame = verdictsOf(now) === verdictsOf(ifAllCounted);
    const sinceMs = Math.min(...own.map(({ undecidedAt }) => undecidedAt?.getTime() ?? watching.nowMs), watching.nowMs);
    return {
      monitorId: use.monitorId,
      votes,
      everywhere,
      ...now,
      waitingForMs: isSame ? null : watching.nowMs - sinceMs,
    };
  });
}

function verdictsOf({ overall, byRegion }: Pick<MonitorJudgement, 'overall' | 'byRegion'>): string {
  return JSON.stringify([overall.verdict, ...[...byRegion].map(([region, { verdict }]) => [region, verdict])]);
}

/**
 * Votes that were too old, or from a vantage point that did not report, count again with its next heartbeat. That heartbeat
 * causes no work for its members. Without another evaluation, a verdict that waits for it would never come.
 */
function lookAgainInMs({ waitingForMs }: MonitorJudgement): number | null {
  return waitingForMs === null ? null : Math.max(waitingForMs, leastWaitMs);
}

/** A count for all vantage points may exceed a region's number. The region then uses its majority. */
function regionRule(spec: QuorumSpec, count: number, longestDelayMs: number): QuorumRule {
  const rule = { ...quorumRule(spec, count, longestDelayMs), leastRegions: 1 };
  return ruleFault(rule, Array(count).fill('')) === undefined ? rule : majorityRule(count, rule.freshMs);
}

function keptOf(stored: EvaluatedMember | RegionState | undefined, nowMs: number): KeptVerdict {
  if (stored === undefined) return { verdict: null, verdictForMs: 0, serving: false, wasDown: false, released: false };
  const { verdict, verdictAt, serving, wasDown, released } = stored;
  const sinceMs = verdictAt === null ? nowMs : new Date(verdictAt).getTime();
  return { verdict, verdictForMs: nowMs - sinceMs, serving, wasDown, released };
}

function regionState({ changed, kept }: Settled, before: RegionState | undefined, at: Date): RegionState {
  const { verdict, serving, wasDown, released } = kept;
  return { verdict, verdictAt: changed ? at.toISOString() : (before?.verdictAt ?? null), serving, wasDown, released };
}

/** Mean latency of each region's vantage points. A region without a present measurement keeps its value. */
function latencyAfter(
  before: Readonly<Record<string, RegionLatency>>,
  monitors: readonly MonitorJudgement[],
): Readonly<Record<string, RegionLatency>> {
  const measured = new Map<string, number[]>();
  for (const { region, row, verdict, abstains, state } of monitors.flatMap(({ votes }) => votes))
    if (verdict === 'UP' && !abstains && state === 'PRESENT' && row !== undefined && row.latencyMs !== null)
      measured.set(region, [...(measured.get(region) ?? []), row.latencyMs]);
  const after = [...measured].map(([region, all]) => {
    const meanMs = all.reduce((sum, each) => sum + each, 0) / all.length;
    return [region, { told: toldLatency(before[region]?.told ?? null, meanMs) }];
  });
  return { ...before, ...Object.fromEntries(after) };
}

function changedVerdicts(
  { id }: EvaluatedMember,
  monitors: readonly MonitorJudgement[],
  before: readonly VerdictRow[],
  at: Date,
): readonly VerdictRow[] {
  const known = new Map(before.map((row) => [`${row.monitorId}/${row.region}`, row]));
  return monitors.flatMap(({ monitorId, overall, byRegion }) =>
    [['', overall] as const, ...byRegion].flatMap(([region, { verdict, changed, undecided }]): VerdictRow[] => {
      const row = known.get(`${monitorId}/${region}`);
      if (row !== undefined && !changed && (row.undecidedAt !== null) === (undecided !== null)) return [];
      const verdictAt = changed ? at : (row?.verdictAt ?? null);
      const undecidedAt = undecided === null ? null : (row?.undecidedAt ?? at);
      return [{ memberId: id, monitorId, region, verdict, verdictAt, undecidedAt }];
    }),
  );
}

function flipsOf(
  member: EvaluatedMember,
  monitors: readonly MonitorJudgement[],
  overall: Settled,
  byRegion: ReadonlyMap<string, Settled>,
): readonly NewFlip[] {
  const flip = (
    region: string | null,
    before: Verdict | null,
    { verdict, changed, kept }: Settled,
    served: boolean,
  ) => {
    if (!changed && kept.serving === served) return [];
    const { id: memberId, projectId, poolId } = member;
    const ballots = monitors.flatMap(({ monitorId, votes, overall: all, byRegion: own }) =>
      ballotsOf(monitorId, votes, region === null ? all : own.get(region)),
    );
    const reason = changed ? reasonOf(verdict, region, ballots) : 'the wait for its failback is over: it serves again';
    const made = { projectId, poolId, memberId, region, before, reason, ballots };
    return [{ ...made, at: null, after: verdict, late: false }];
  };
  return [
    ...flip(null, member.verdict, overall, member.serving),
    ...[...byRegion].flatMap(([region, each]) => {
      const before = member.regionStates[region];
      return flip(region, before?.verdict ?? null, each, before?.serving ?? false);
    }),
  ];
}

function ballotsOf(
  monitorId: string,
  votes: readonly KnownVote[],
  judgement: Judgement | undefined,
): readonly FlipBallot[] {
  const known = new Map(votes.map((vote) => [vote.vantagePoint, vote.row]));
  return (judgement?.ballots ?? []).map(({ vantagePoint, region, verdict, ageMs, count }) => {
    const row = known.get(vantagePoint);
    return {
      ...{ monitorId, vantagePoint, region, verdict, count },
      ageMs: verdict === null ? null : ageMs,
      latencyMs: row?.latencyMs ?? null,
      message: row?.message ?? null,
    };
  });
}

function reasonOf(verdict: Verdict | null, region: string | null, ballots: readonly FlipBallot[]): string {
  if (ballots.length === 0) return 'it has no monitor';
  const points = new Set(ballots.map(({ vantagePoint }) => vantagePoint));
  const saying = ballots.filter((ballot) => ballot.count === 'COUNTED' && ballot.verdict === verdict);
  const sayers = new Set(saying.map(({ vantagePoint }) => vantagePoint));
  const told = saying.find(({ message }) => message !== null);
  const where = region === null ? '' : ` in ${region}`;
  const why = told === undefined ? '' : `; ${told.vantagePoint}: ${told.message}`;
  return `${sayers.size} of ${points.size} vantage points${where} vote ${verdict ?? 'neither UP nor DOWN'}${why}`;
}

function eventsOf(
  member: EvaluatedMember,
  standing: Standing,
  overall: Settled,
  reason: string | null,
): readonly StatusEvent<typeof gslbEvents>[] {
  const { id: subjectId, projectId } = member;
  const events: StatusEvent<typeof gslbEvents>[] = [];
  const subject = () => ({ projectId, subjectId, subjectVersion: member.version + events.length + 1, reason });
  if (overall.changed && overall.verdict !== null)
    events.push({ ...subject(), kind: 'gslbPoolMember.verdict', from: member.verdict, to: overall.verdict });
  if (standing.adminState !== member.adminState)
    events.push({
      ...{ ...subject(), kind: 'gslbPoolMember.adminState', from: member.adminState, to: standing.adminState },
      reason: 'its time is over',
    });
  const { operatingStatus: to } = standing;
  if (to !== null && operatingChanges(member.operatingStatus, to))
    events.push({
      ...{ ...subject(), kind: 'gslbPoolMember.operatingStatus', from: member.operatingStatus, to },
      reason: standing.statusMessage ?? reason,
    });
  return events;
}

function textOf(standing: Standing): string {
  const { verdict, verdictAt, serving, wasDown, released, regionStates, undecidedAt, adminState } = standing;
  const { operatingStatus, statusMessage, lastUpAt, latency } = standing;
  return JSON.stringify([
    ...[verdict, verdictAt, serving, wasDown, released, regionStates, undecidedAt, adminState],
    ...[operatingStatus, statusMessage, lastUpAt, latency],
  ]);
}

function answerOf({ adminState, serving, regionStates, lastUpAt, latency }: Standing): string {
  const regions = Object.entries(regionStates).map(([region, state]) => [region, state.serving]);
  const told = Object.entries(latency).map(([region, each]) => [region, each.told]);
  return JSON.stringify([adminState, serving, regions, told, lastUpAt]);
}
