// A batch of a checker becomes votes, verdicts, history and answers in one transaction: the checker's row first, then members and names,
// each in the order of their ids. What does not count changes nothing.
import type { Database, Transaction } from '../../../platform/database/database.ts';
import { newUuid } from '../../../platform/ids.ts';
import { owe } from '../../../platform/owed-work.ts';
import { type CheckerBatch, mostVerdicts, type SpokenVerdict, targetId, targetNamed } from '../wire/checker-wire.ts';
import {
  type CheckerRow,
  type Counted,
  databaseNow,
  lockChecker,
  lockFreeCheckers,
  recordBatches,
  stateOf,
} from './checker-store.ts';
import { type Flip, storeFlips } from './flip-store.ts';
import type { Measured } from './judged-member.ts';
import { type JudgedMember, lockMembers, monitorsOf } from './judged-store.ts';
import { type JudgingParts, judgeMembers } from './judging.ts';
import { type CheckerState, type NotedVerdict, noteBatch, type Refusal } from './report-ledger.ts';
import { sharing } from './sharing.ts';
import { isAskedInGraph, watchesType } from './targets.ts';
import { vantageKind } from './touched.ts';
import { readVantagePoint, readVantagePoints, sharersOf, type VantageRow } from './vantage-store.ts';
import { storeVotes, type VoteRow } from './vote-store.ts';
import { whenPaused } from './when-paused.ts';

/** Nothing of the batch counts: the checker connects anew, and says all that it sees. */
export class BatchRefusedError extends Error {
  readonly refusal: Refusal;

  constructor(refusal: Refusal, { number, incarnation, epoch }: CheckerBatch) {
    super(`batch ${number} of incarnation ${incarnation} and epoch ${epoch} is refused: ${refusal}`);
    this.name = 'BatchRefusedError';
    this.refusal = refusal;
  }
}

export interface Reported {
  /** The stamp of the acknowledgement. */
  readonly stampMs: number;
}

type Noted = NotedVerdict & SpokenVerdict & { readonly member: string; readonly monitor: string };

/** Throws BatchRefusedError. */
export function recordReport(
  db: Database,
  parts: JudgingParts,
  checkerId: string,
  batch: CheckerBatch,
): Promise<Reported> {
  return db.transaction((tx) => reportIn(tx, parts, checkerId, batch), whenPaused);
}

export interface Heartbeat {
  readonly checkerId: string;
  /** Without verdicts. */
  readonly batch: CheckerBatch;
}

/** In one transaction, in the order given. Undefined: another transaction holds the checker's row, and nothing was recorded of it. */
export function recordHeartbeats(
  db: Database,
  parts: JudgingParts,
  heartbeats: readonly Heartbeat[],
): Promise<readonly (Reported | BatchRefusedError | undefined)[]> {
  return db.transaction(async (tx) => {
    const ids = [...new Set(heartbeats.map(({ checkerId }) => checkerId))];
    const checkers = new Map((await lockFreeCheckers(tx, ids)).map((row) => [row.id, row]));
    const vantagePoints = new Map((await readVantagePoints(tx)).map((row) => [row.id, row]));
    const nowMs = await databaseNow(tx);
    const counted = new Map<string, Counted>();
    const outcomes: (Reported | BatchRefusedError | undefined)[] = [];
    for (const { checkerId, batch } of heartbeats) {
      const checker = checkers.get(checkerId);
      // One that came over a newer connection in the same moment is another's turn.
      if (checker === undefined || counted.has(checkerId)) {
        outcomes.push(undefined);
        continue;
      }
      const noted = notedOf(parts, { checker, vantagePoint: vantagePoints.get(checker.vantagePointId), batch, nowMs });
      outcomes.push(noted instanceof BatchRefusedError ? noted : { stampMs: nowMs });
      if (noted instanceof BatchRefusedError || noted.outcome === 'REPEATED') continue;
      counted.set(checkerId, { checker, state: noted.state, load: batch.load });
      await tellAbstention(tx, parts, checker, noted.state);
    }
    await recordBatches(tx, [...counted.values()]);
    return outcomes;
  }, whenPaused);
}

async function reportIn(
  tx: Transaction,
  parts: JudgingParts,
  checkerId: string,
  batch: CheckerBatch,
): Promise<Reported> {
  const checker = await lockChecker(tx, checkerId);
  if (checker === undefined) throw new BatchRefusedError('UNKNOWN_INCARNATION', batch);
  const vantagePoint = await readVantagePoint(tx, checker.vantagePointId);
  const nowMs = await databaseNow(tx);
  const noted = notedOf(parts, { checker, vantagePoint, batch, nowMs });
  if (noted instanceof BatchRefusedError) throw noted;
  if (noted.outcome === 'REPEATED' || vantagePoint === undefined) return { stampMs: nowMs };
  await recordBatches(tx, [{ checker, state: noted.state, load: batch.load }]);
  await tellAbstention(tx, parts, checker, noted.state);
  const said = spoken(batch, noted.noted);
  if (said.length > 0) await note(tx, parts, { checker, vantagePoint, batch, said, nowMs });
  return { stampMs: nowMs };
}

interface Said {
  readonly checker: CheckerRow;
  readonly vantagePoint: VantageRow | undefined;
  readonly batch: CheckerBatch;
  readonly nowMs: number;
}

/** What the ledger makes of a batch. Pure. */
function notedOf({ freshMs }: JudgingParts, { checker, vantagePoint, batch, nowMs }: Said) {
  if (vantagePoint === undefined) return new BatchRefusedError('OTHER_VANTAGE_POINT', batch);
  // It no longer shares the targets.
  if (checker.epoch !== vantagePoint.epoch) return new BatchRefusedError('OLD_EPOCH', batch);
  const noted = noteBatch(stateOf(checker, vantagePoint.name), batch, nowMs, { mostVerdicts, freshMs });
  return noted.outcome === 'REFUSED' ? new BatchRefusedError(noted.refusal, batch) : noted;
}

/** All votes of the vantage point begin to count, or cease to. */
async function tellAbstention(tx: Transaction, { wake }: JudgingParts, before: CheckerRow, { abstains }: CheckerState) {
  if (before.abstains !== abstains) await owe(tx, vantageKind, before.vantagePointId, {}, wake);
}

/** What the ledger noted, with what was said beside it. Names that are none are nobody's. */
function spoken({ past, verdicts }: CheckerBatch, noted: readonly NotedVerdict[]): readonly Noted[] {
  const all = [...past, ...verdicts];
  return noted.flatMap((each, at) => {
    const [target, said] = [targetNamed(each.target), all[at]];
    return target === undefined || said === undefined ? [] : [{ ...said, ...each, ...target }];
  });
}

interface Saying {
  readonly checker: CheckerRow;
  readonly vantagePoint: VantageRow;
  readonly batch: CheckerBatch;
  readonly said: readonly Noted[];
  readonly nowMs: number;
}

async function note(tx: Transaction, parts: JudgingParts, saying: Saying): Promise<void> {
  const { checker, vantagePoint, batch, said } = saying;
  const sharers = await sharersOf(tx, vantagePoint);
  const members = await lockMembers(
    tx,
    said.map(({ member }) => member),
  );
  const byId = new Map(members.map((member) => [member.id, member]));
  const watched = await targetsOf(tx, members);
  const ownerOf = sharing(sharers);
  const own = said.filter(
    (each) => watched.has(each.target) && ownerOf(each.target) === checker.id && byId.has(each.member),
  );
  // What came late and holds is stored too: later batches say of all before them that it holds (electorate.ts), and it is not said again.
  const votes = own.filter(({ holds }) => holds);
  await storeVotes(tx, [...new Map(votes.map((each) => [each.target, voteOf(each, saying)])).values()]);
  await storeFlips(
    tx,
    own.filter(({ late }) => late).flatMap((each) => lateFlip(each, saying, byId.get(each.member)) ?? []),
  );
  const voted = new Set(votes.map(({ member }) => member));
  await judgeMembers(
    tx,
    parts,
    members.filter(({ id }) => voted.has(id)),
    { measured: latenciesOf(votes, vantagePoint, batch) },
  );
}

/** Ids of what is to be checked of the members. */
async function targetsOf(tx: Transaction, members: readonly JudgedMember[]): Promise<ReadonlySet<string>> {
  const uses = await monitorsOf(tx, members);
  const byPool = Map.groupBy(uses, ({ poolId }) => poolId);
  const byMember = Map.groupBy(uses, ({ memberId }) => memberId);
  return new Set(
    members.flatMap(({ id: member, poolId, spec }) =>
      [...(byPool.get(poolId) ?? []), ...(byMember.get(member) ?? [])]
        .filter((use) => !isAskedInGraph(use.spec) && watchesType(spec, use.spec))
        .map(({ monitorId: monitor }) => targetId({ member, monitor })),
    ),
  );
}

function voteOf({ member, monitor, verdict, agoMs, latencyMs, message }: Noted, saying: Saying): VoteRow {
  const { checker, vantagePoint, batch, nowMs } = saying;
  return {
    ...{ memberId: member, monitorId: monitor, vantagePointId: vantagePoint.id, checkerId: checker.id, verdict },
    ...{ incarnation: batch.incarnation, epoch: batch.epoch, latencyMs, message },
    sinceAt: ago(nowMs, agoMs),
  };
}

function lateFlip(
  { monitor, verdict, agoMs, latencyMs, message }: Noted,
  { vantagePoint: { name, region }, checker, nowMs }: Saying,
  member: JudgedMember | undefined,
): Flip | undefined {
  if (member === undefined) return undefined;
  const ballot = { monitorId: monitor, vantagePoint: name, region, verdict, ageMs: agoMs, latencyMs, message };
  return {
    id: newUuid(),
    ...{ projectId: member.projectId, poolId: member.poolId, memberId: member.id },
    ...{ at: ago(nowMs, agoMs), region: null, before: member.verdict, after: member.verdict, late: true },
    reason: `${checker.name} of ${name} saw it ${verdict}, and said so too late to count`,
    ballots: [{ ...ballot, count: 'LATE' }],
  };
}

/** By the age that the checker told: for the history only. */
function ago(nowMs: number, agoMs: number): Date {
  return new Date(Math.max(nowMs - agoMs, 0));
}

function latenciesOf(
  votes: readonly Noted[],
  { region }: VantageRow,
  { abstains }: Pick<CheckerBatch, 'abstains'>,
): ReadonlyMap<string, readonly Measured[]> {
  if (abstains) return new Map();
  const measured = votes.flatMap(({ member, latencyMs, late }) =>
    latencyMs === null || late ? [] : [{ member, region, latencyMs }],
  );
  return Map.groupBy(measured, ({ member }) => member);
}
