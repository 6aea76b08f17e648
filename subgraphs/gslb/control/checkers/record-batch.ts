// Turns batches of checkers into votes, verdicts, history and answers in one transaction: the checkers' rows first, then members
// and names, each in the order of their IDs. Batches that do not count change nothing.
import type { Database, Transaction } from '../../../../platform/database/database.ts';
import { owe } from '../../../../platform/owed/owed-work.ts';
import { type CheckerBatch, mostVerdicts, type SpokenVerdict, targetId, targetNamed } from '../../wire/checker-wire.ts';
import { type CheckerState, type NotedVerdict, noteBatch, type Refusal } from '../stores/batch-ledger.ts';
import {
  type CheckerRow,
  type Counted,
  databaseNow,
  lockChecker,
  lockFreeCheckers,
  stateOf,
  storeCounted,
} from '../stores/checker-store.ts';
import { sharingByPlugin } from '../stores/sharing.ts';
import { type EvaluatedMember, lockMembers, type MonitorUse, monitorsOf } from '../stores/standing-store.ts';
import { vantageKind } from '../stores/touched.ts';
import { readSharersOf, readVantagePoints, type VantageRow } from '../stores/vantage-store.ts';
import { storeVotes, type VoteRow } from '../stores/vote-store.ts';
import { whenPaused } from '../stores/when-paused.ts';
import { isAskedInGraph, pluginOf, watchesType } from '../targets/targets.ts';
import { type EvaluationDependencies, evaluateMembers } from '../verdicts/evaluate-members.ts';
import { type NewFlip, storeFlips } from '../verdicts/flip-store.ts';

/** Nothing of the batch counts. The checker reconnects and reports everything again. */
export class BatchRefusedError extends Error {
  readonly refusal: Refusal;

  constructor(refusal: Refusal, { number, incarnation, epoch }: CheckerBatch) {
    super(`batch ${number} of incarnation ${incarnation} and epoch ${epoch} is refused: ${refusal}`);
    this.name = 'BatchRefusedError';
    this.refusal = refusal;
  }
}

export interface RecordedBatch {
  /** Stamp of the acknowledgement. */
  readonly stampMs: number;
}

type Noted = NotedVerdict & SpokenVerdict & { readonly member: string; readonly monitor: string };

interface SentBatch {
  readonly checkerId: string;
  readonly batch: CheckerBatch;
}

/** Waits for the lock on the checker's row. Throws BatchRefusedError. */
export async function recordBatch(
  db: Database,
  dependencies: EvaluationDependencies,
  checkerId: string,
  batch: CheckerBatch,
): Promise<RecordedBatch> {
  const outcome = await db.transaction(async (tx) => {
    const checker = await lockChecker(tx, checkerId);
    if (checker === undefined) return new BatchRefusedError('UNKNOWN_INCARNATION', batch);
    return (await recordIn(tx, dependencies, [{ checkerId, batch }], [checker]))[0];
  }, whenPaused);
  if (outcome === undefined || outcome instanceof BatchRefusedError) throw outcome;
  return outcome;
}

/**
 * Records batches in one transaction, so that a member with votes in several batches is evaluated once, with all votes. Undefined if another
 * transaction holds the lock on the checker's row. Nothing is recorded then.
 */
export function recordBatches(
  db: Database,
  dependencies: EvaluationDependencies,
  batches: readonly SentBatch[],
): Promise<readonly (RecordedBatch | BatchRefusedError | undefined)[]> {
  return db.transaction(async (tx) => {
    const ids = [...new Set(batches.map(({ checkerId }) => checkerId))];
    return recordIn(tx, dependencies, batches, await lockFreeCheckers(tx, ids));
  }, whenPaused);
}

/** `locked`: rows of their checkers. */
async function recordIn(
  tx: Transaction,
  dependencies: EvaluationDependencies,
  batches: readonly SentBatch[],
  locked: readonly CheckerRow[],
): Promise<readonly (RecordedBatch | BatchRefusedError | undefined)[]> {
  const checkers = new Map(locked.map((row) => [row.id, row]));
  const vantagePoints = new Map((await readVantagePoints(tx)).map((row) => [row.id, row]));
  const nowMs = await databaseNow(tx);
  const counted = new Map<string, Counted>();
  const sayings: Saying[] = [];
  const outcomes: (RecordedBatch | BatchRefusedError | undefined)[] = [];
  for (const { checkerId, batch } of batches) {
    const checker = checkers.get(checkerId);
    // One that came over a newer connection in the same moment is another's turn.
    if (checker === undefined || counted.has(checkerId)) {
      outcomes.push(undefined);
      continue;
    }
    const vantagePoint = vantagePoints.get(checker.vantagePointId);
    const noted = notedOf(dependencies, { checker, vantagePoint, batch, nowMs });
    outcomes.push(noted instanceof BatchRefusedError ? noted : { stampMs: nowMs });
    if (noted instanceof BatchRefusedError || noted.outcome === 'REPEATED' || vantagePoint === undefined) continue;
    counted.set(checkerId, { checker, state: noted.state, load: batch.load });
    await tellAbstention(tx, dependencies, checker, noted.state);
    sayings.push({ checker, vantagePoint, batch, said: spoken(batch, noted.noted), nowMs });
  }
  await storeCounted(tx, [...counted.values()]);
  await note(tx, dependencies, sayings);
  return outcomes;
}

interface Said {
  readonly checker: CheckerRow;
  readonly vantagePoint: VantageRow | undefined;
  readonly batch: CheckerBatch;
  readonly nowMs: number;
}

/** The result of a batch in the ledger. Pure. */
function notedOf({ freshMs }: EvaluationDependencies, { checker, vantagePoint, batch, nowMs }: Said) {
  if (vantagePoint === undefined) return new BatchRefusedError('OTHER_VANTAGE_POINT', batch);
  // It no longer shares the targets.
  if (checker.epoch !== vantagePoint.epoch) return new BatchRefusedError('OLD_EPOCH', batch);
  const noted = noteBatch(stateOf(checker, vantagePoint.name), batch, nowMs, { mostVerdicts, freshMs });
  return noted.outcome === 'REFUSED' ? new BatchRefusedError(noted.refusal, batch) : noted;
}

/** All votes of the vantage point begin or cease to count. */
async function tellAbstention(
  tx: Transaction,
  { wake }: EvaluationDependencies,
  before: CheckerRow,
  { abstains }: CheckerState,
) {
  if (before.abstains !== abstains) await owe(tx, vantageKind, before.vantagePointId, {}, wake);
}

/** Verdicts that the ledger noted, with their reported details. Invalid names belong to nobody. */
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

async function note(tx: Transaction, dependencies: EvaluationDependencies, sayings: readonly Saying[]): Promise<void> {
  const named = sayings.flatMap(({ said }) => said.map(({ member }) => member));
  if (named.length === 0) return;
  const members = await lockMembers(tx, named);
  const byId = new Map(members.map((member) => [member.id, member]));
  const uses = await monitorsOf(tx, members);
  const watched = targetsOf(uses, members);
  const owners = new Map<string, ReturnType<typeof sharingByPlugin>>();
  const types = new Map(uses.map(({ monitorId, spec }) => [monitorId, pluginOf(spec)]));
  const [votes, late]: [VoteRow[], NewFlip[]] = [[], []];
  for (const saying of sayings) {
    const { checker, vantagePoint, said } = saying;
    const ownerOf = owners.get(vantagePoint.id) ?? sharingByPlugin(await readSharersOf(tx, vantagePoint));
    owners.set(vantagePoint.id, ownerOf);
    const own = said.filter(
      (each) =>
        watched.has(each.target) &&
        ownerOf(each.target, types.get(each.monitor) ?? '') === checker.id &&
        byId.has(each.member),
    );
    // Late verdicts that still hold are stored too: later batches confirm all verdicts before them (electorate.ts) without
    // repeating them.
    const holding = own.filter(({ holds }) => holds);
    votes.push(
      ...[...new Map(holding.map((each) => [each.target, each])).values()].map((each) => voteOf(each, saying)),
    );
    late.push(...own.flatMap((each) => (each.late ? (lateFlip(each, saying, byId.get(each.member)) ?? []) : [])));
  }
  await storeVotes(tx, votes);
  await storeFlips(tx, late, sayings[0]?.nowMs ?? 0);
  const voted = new Set(votes.map(({ memberId }) => memberId));
  await evaluateMembers(
    tx,
    dependencies,
    members.filter(({ id }) => voted.has(id)),
    { uses },
  );
}

/** IDs of the members' targets. */
function targetsOf(uses: readonly MonitorUse[], members: readonly EvaluatedMember[]): ReadonlySet<string> {
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
  member: EvaluatedMember | undefined,
): NewFlip | undefined {
  if (member === undefined) return undefined;
  const ballot = { monitorId: monitor, vantagePoint: name, region, verdict, ageMs: agoMs, latencyMs, message };
  return {
    ...{ projectId: member.projectId, poolId: member.poolId, memberId: member.id },
    ...{ at: ago(nowMs, agoMs), region: null, before: member.verdict, after: member.verdict, late: true },
    reason: `${checker.name} of ${name} saw it ${verdict}, but reported too late to count`,
    ballots: [{ ...ballot, count: 'LATE' }],
  };
}

/** Computed from the age that the checker reported, for the history only. */
function ago(nowMs: number, agoMs: number): Date {
  return new Date(Math.max(nowMs - agoMs, 0));
}
