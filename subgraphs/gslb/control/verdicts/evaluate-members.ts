// The single path from votes to verdicts and from verdicts to answers: for batches (record-batch.ts), and for changes caused by time or
// by people (evaluation-queue.ts). Everything is written in the transaction of the cause: members first, in the order of their IDs,
// then names.
import type { Transaction } from '../../../../platform/database/database.ts';
import { appendStatus } from '../../../../platform/events/append.ts';
import type { EgressPolicy } from '../../../../platform/net/egress.ts';
import { oweAll } from '../../../../platform/owed/owed-work.ts';
import type { Wake } from '../../../../platform/work/wake.ts';
import { gslbEvents } from '../events.ts';
import { planNames } from '../plans/planning.ts';
import { cmpObjectsOfPools, namesOfPools } from '../stores/name-store.ts';
import { type EvaluatedMember, type MonitorUse, storeStandings } from '../stores/standing-store.ts';
import { evaluationKind } from '../stores/touched.ts';
import { storeVerdicts } from '../stores/vote-store.ts';
import { readWatching } from './electorate.ts';
import { storeFlips } from './flip-store.ts';
import { evaluateMember } from './member-evaluation.ts';

export interface EvaluationDependencies {
  readonly wake: Wake;
  readonly egress: EgressPolicy;
  /** A checker that has not reported for this long is gone. */
  readonly silenceMs: number;
  /** Interval of heartbeats. */
  readonly heartbeatMs: number;
  /** A batch not acknowledged within this time is late. */
  readonly freshMs: number;
}

interface EvaluationCause {
  /** The members' monitors, if they were read already. */
  readonly uses?: readonly MonitorUse[] | undefined;
  /** The members themselves were changed, so names are planned again regardless of the verdicts. */
  readonly changed?: boolean;
}

/** No work is owed further ahead (platform/owed/owed-work.ts). */
const longestAheadMs = 3_600_000;

/** `members`: locked, in the order of their ids. */
export async function evaluateMembers(
  tx: Transaction,
  dependencies: EvaluationDependencies,
  members: readonly EvaluatedMember[],
  { uses, changed = false }: EvaluationCause = {},
): Promise<void> {
  if (members.length === 0) return;
  const watching = await readWatching(tx, members, dependencies, uses);
  const evaluated = members.map((member) => evaluateMember(watching, member));
  await storeStandings(
    tx,
    evaluated.flatMap(({ member, standing }) => (standing === undefined ? [] : [{ member, standing }])),
  );
  await storeVerdicts(
    tx,
    evaluated.flatMap(({ verdicts }) => verdicts),
  );
  const flips = await storeFlips(
    tx,
    evaluated.flatMap((each) => each.flips),
    watching.nowMs,
  );
  const told = evaluated.filter(({ events }) => events.length > 0);
  const cmpObjects = await cmpObjectsOfPools(
    tx,
    told.map(({ member }) => member.poolId),
  );
  await appendStatus(
    tx,
    gslbEvents,
    told.flatMap(({ member, events }) =>
      events.map((event) => ({ ...event, cmpObject: cmpObjects.get(member.poolId) ?? null })),
    ),
    dependencies.wake,
  );
  const again = evaluated.flatMap(({ member, againInMs }) =>
    againInMs === null ? [] : [{ key: member.id, dueInMs: Math.min(Math.max(againInMs, 0), longestAheadMs) }],
  );
  await oweAll(tx, evaluationKind, again, dependencies.wake);
  const moved = evaluated.filter(({ answersChange }) => changed || answersChange).map(({ member }) => member.poolId);
  if (moved.length === 0) return;
  await planNames(tx, dependencies, await namesOfPools(tx, [...new Set(moved)]), {
    nowMs: watching.nowMs,
    flips: new Map(flips.map(({ poolId, id }) => [poolId, id])),
  });
}
