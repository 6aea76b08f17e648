// Batches of checkers become votes, verdicts, history and answers in one transaction: the checkers' rows first, then members and names,
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
import { type JudgedMember, lockMembers, type MonitorUse, monitorsOf } from './judged-store.ts';
import { type JudgingParts, judgeMembers } from './judging.ts';
import { type CheckerState, type NotedVerdict, noteBatch, type Refusal } from './report-ledger.ts';
import { sharing } from './sharing.ts';
import { isAskedInGraph, watchesType } from './targets.ts';
import { vantageKind } from './touched.ts';
import { readVantagePoints, sharersOf, type VantageRow } from './vantage-store.ts';
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

export interface Report {
  readonly checkerId: string;
  readonly batch: CheckerBatch;
}

/** Waits for whoever holds the checker's row. Throws BatchRefusedError. */
export async function recordReport(
  db: Database,
  parts: JudgingParts,
  checkerId: string,
  batch: CheckerBatch,
): Promise<Reported> {
  const outcome = await db.transaction(async (tx) => {
    const checker = await lockChecker(tx, checkerId);
    if (checker === undefined) return new BatchRefusedError('UNKNOWN_INCARNATION', batch);
    return (await recordIn(tx, parts, [{ checkerId, batch }], [checker]))[0];
  }, whenPaused);
  if (outcome === undefined || outcome instanceof BatchRefusedError) throw outcome;
  return outcome;
}

/**
 * In one transaction: a member on which several of them have votes is judged once, by all. Undefined: another transaction holds the
 * checker's row, and nothing was recorded of it.
 */
export function recordReports(
  db: Database,
  parts: JudgingParts,
  reports: readonly Report[],
): Promise<readonly (Reported | BatchRefusedError | undefined)[]> {
  return db.transaction(async (tx) => {
    const ids = [...new Set(reports.map(({ checkerId }) => checkerId))];
    return recordIn(tx, parts, reports, await lockFreeCheckers(tx, ids));
  }, whenPaused);
}

/** `locked`: rows of their checkers. */
async function recordIn(
  tx: Transaction,
  parts: JudgingParts,
  reports: readonly Report[],
  locked: readonly CheckerRow[],
): Promise<readonly (Reported | BatchRefusedError | undefined)[]> {
  const checkers = new Map(locked.map((row) => [row.id, row]));
  const vantagePoints = new Map((await readVantagePoints(tx)).map((row) => [row.id, row]));
  const nowMs = await databaseNow(tx);
  const counted = new Map<string, Counted>();
  const sayings: Saying[] = [];
  const outcomes: (Reported | BatchRefusedError | undefined)[] = [];
  for (const { checkerId, batch } of reports) {
    const checker = checkers.get(checkerId);
    // One that came over a newer connection in the same moment is another's turn.
    if (checker === undefined || counted.has(checkerId)) {
      outcomes.push(undefined);
      continue;
    }
    const vantagePoint = vantagePoints.get(checker.vantagePointId);
    const noted = notedOf(parts, { checker, vantagePoint, batch, nowMs });
    outcomes.push(noted instanceof BatchRefusedError ? noted : { stampMs: nowMs });
    if (noted instanceof BatchRefusedError || noted.outcome === 'REPEATED' || vantagePoint === undefined) continue;
    counted.set(checkerId, { checker, state: noted.state, load: batch.load });
    await tellAbstention(tx, parts, checker, noted.state);
    sayings.push({ checker, vantagePoint, batch, said: spoken(batch, noted.noted), nowMs });
  }
  await recordBatches(tx, [...counted.values()]);
  await note(tx, parts, sayings);
  return outcomes;
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

async function note(tx: Transaction, parts: JudgingParts, sayings: readonly Saying[]): Promise<void> {
  const named = sayings.flatMap(({ said }) => said.map(({ member }) => member));
  if (named.length === 0) return;
  const members = await lockMembers(tx, named);
  const byId = new Map(members.map((member) => [member.id, member]));
  const uses = await monitorsOf(tx, members);
  const watched = targetsOf(uses, members);
  const owners = new Map<string, (target: string) => string | undefined>();
  const [votes, late]: [VoteRow[], Flip[]] = [[], []];
  const measured: (Measured & { readonly member: string })[] = [];
  for (const saying of sayings) {
    const { checker, vantagePoint, said } = saying;
    const ownerOf = owners.get(vantagePoint.id) ?? sharing(await sharersOf(tx, vantagePoint));
    owners.set(vantagePoint.id, ownerOf);
    const own = said.filter(
      (each) => watched.has(each.target) && ownerOf(each.target) === checker.id && byId.has(each.member),
    );
    // What came late and holds is stored too: later batches say of all before them that it holds (electorate.ts), and it is not said again.
    const holding = own.filter(({ holds }) => holds);
    votes.push(
      ...[...new Map(holding.map((each) => [each.target, each])).values()].map((each) => voteOf(each, saying)),
    );
    late.push(...own.flatMap((each) => (each.late ? (lateFlip(each, saying, byId.get(each.member)) ?? []) : [])));
    measured.push(...latenciesOf(holding, saying));
  }
  await storeVotes(tx, votes);
  await storeFlips(tx, late);
  const voted = new Set(votes.map(({ memberId }) => memberId));
  await judgeMembers(
    tx,
    parts,
    members.filter(({ id }) => voted.has(id)),
    { uses, measured: Map.groupBy(measured, ({ member }) => member) },
  );
}

/** Ids of what is to be checked of the members. */
function targetsOf(uses: readonly MonitorUse[], members: readonly JudgedMember[]): ReadonlySet<string> {
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
  { vantagePoint: { region }, batch: { abstains } }: Saying,
): readonly (Measured & { readonly member: string })[] {
  if (abstains) return [];
  return votes.flatMap(({ member, latencyMs, late }) =>
    latencyMs === null || late ? [] : [{ member, region, latencyMs }],
  );
}
