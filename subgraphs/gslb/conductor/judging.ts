// The one way in which votes become verdicts, and verdicts answers: of a report (report.ts), and of what time or a person decides
// (judge-queue.ts). Everything is written in the transaction of the cause: members first, in the order of their ids, then names.
import type { Transaction } from '../../../platform/database/database.ts';
import { appendStatus } from '../../../platform/events/append.ts';
import type { EgressPolicy } from '../../../platform/net/egress.ts';
import { oweAll } from '../../../platform/owed-work.ts';
import type { Wake } from '../../../platform/wake.ts';
import { gslbEvents } from '../events.ts';
import { readWatching } from './electorate.ts';
import { storeFlips } from './flip-store.ts';
import { judgedAnew, type Measured } from './judged-member.ts';
import { type JudgedMember, type MonitorUse, storeStandings } from './judged-store.ts';
import { namesOfPools } from './name-store.ts';
import { planNames } from './planning.ts';
import { judgeKind } from './touched.ts';
import { storeVerdicts } from './vote-store.ts';

export interface JudgingParts {
  readonly wake: Wake;
  readonly egress: EgressPolicy;
  /** A checker that was not heard for so long is gone. */
  readonly silenceMs: number;
  /** So often a heartbeat is asked for. */
  readonly heartbeatMs: number;
  /** What was not acknowledged for so long is late. */
  readonly freshMs: number;
}

export interface JudgingCause {
  /** Latencies that came with the votes, by member. */
  readonly measured?: ReadonlyMap<string, readonly Measured[]>;
  /** The members' monitors, if they were read already. */
  readonly uses?: readonly MonitorUse[] | undefined;
  /** The members themselves were changed: names are planned anew whatever the verdicts are. */
  readonly changed?: boolean;
}

/** No work is owed further ahead (platform/owed-work.ts). */
const longestAheadMs = 3_600_000;

/** `members`: locked, in the order of their ids. */
export async function judgeMembers(
  tx: Transaction,
  parts: JudgingParts,
  members: readonly JudgedMember[],
  { measured = new Map(), uses, changed = false }: JudgingCause = {},
): Promise<void> {
  if (members.length === 0) return;
  const watching = await readWatching(tx, members, parts, uses);
  const judged = members.map((member) => judgedAnew(watching, member, measured.get(member.id) ?? []));
  await storeStandings(
    tx,
    judged.flatMap(({ member, standing }) => (standing === undefined ? [] : [{ member, standing }])),
  );
  await storeVerdicts(
    tx,
    judged.flatMap(({ verdicts }) => verdicts),
  );
  const flips = judged.flatMap((each) => each.flips);
  await storeFlips(tx, flips);
  await appendStatus(
    tx,
    gslbEvents,
    judged.flatMap(({ events }) => events),
    parts.wake,
  );
  const again = judged.flatMap(({ member, againInMs }) =>
    againInMs === null ? [] : [{ key: member.id, dueInMs: Math.min(Math.max(againInMs, 0), longestAheadMs) }],
  );
  await oweAll(tx, judgeKind, again, parts.wake);
  const moved = judged.filter(({ answersChange }) => changed || answersChange).map(({ member }) => member.poolId);
  if (moved.length === 0) return;
  await planNames(tx, parts, await namesOfPools(tx, [...new Set(moved)]), {
    nowMs: watching.nowMs,
    flips: new Map(flips.map(({ poolId, id }) => [poolId, id])),
  });
}
