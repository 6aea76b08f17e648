// Advances changes of rings step by step. During a step each read and write needs a majority of both rings. The step ends when every
// cluster that gains a partition, or stays in one with fewer replicas, has reported that it has all of its data. Each process with the role object-storage polls; decisions are
// made in the transaction that has locked the federation.
import type { Database, Sql, Transaction } from '../../../../platform/database/database.ts';
import { invariant } from '../../../../platform/errors/errors.ts';
import { appendStatus } from '../../../../platform/events/append.ts';
import type { Logger } from '../../../../platform/log/log.ts';
import { nextRing } from '../../../../platform/rings/next-ring.ts';
import { copyingIn, type Ring } from '../../../../platform/rings/ring.ts';
import type { Wake } from '../../../../platform/work/wake.ts';
import type { TakeOver } from '../../wire/controller-wire.ts';
import { objectEvents, type RingChangeState } from '../events.ts';
import { type ClusterRow, liveClusters } from '../stores/cluster-store.ts';
import { controllersOf } from '../stores/controller-store.ts';
import { lockFederation } from '../stores/federation-store.ts';
import {
  beginStep,
  endStep,
  liveChanges,
  type RingChangeRow,
  readChanges,
  setChangeState,
  tellsProgress,
} from '../stores/ring-change-store.ts';
import { insertRing, presentRings, type RingRow } from '../stores/ring-store.ts';
import { tellRing } from '../stores/wanted-documents.ts';
import { ringWish, tellMade, wantedRings } from './wanted-rings.ts';

/** The longest reason that an event may have. */
const mostProgress = 1_000;

interface RingChangesOptions {
  readonly db: Database;
  readonly wake: Wake;
  readonly log: Logger;
}

export interface StepProgress {
  /** Number of the cluster that copies data. */
  readonly number: number;
  /** Undefined if it has not reported on this step yet. */
  readonly told: TakeOver | undefined;
}

export class RingChanges {
  readonly #options: RingChangesOptions;

  constructor(options: RingChangesOptions) {
    this.#options = options;
  }

  /** Polls each change that has not ended once. Returns how many there are. */
  async advance(): Promise<number> {
    const { db, log } = this.#options;
    const changes = await liveChanges(db);
    for (const change of changes) {
      if (change.step === undefined && change.state !== 'RUNNING') continue;
      const progress = (await progressOf(db, [change])).get(change.id) ?? [];
      if (!progress.every(({ told }) => told?.left === 0)) {
        await this.#tell(change, progress);
        continue;
      }
      const did = await db.transaction((tx) => this.#take(tx, change));
      if (did !== undefined) log.info({ ring: change.number, change: change.id }, did);
    }
    return changes.length;
  }

  async #tell(change: RingChangeRow, progress: readonly StepProgress[]): Promise<void> {
    const { db, wake } = this.#options;
    const lacks = progress.map(({ number, told }) =>
      told === undefined
        ? `cluster ${number} has not reported yet`
        : `cluster ${number} lacks ${told.left} of ${told.partitions} partitions`,
    );
    const text = `step ${change.stepsDone + 1}: ${lacks.join('; ')}`.slice(0, mostProgress);
    await db.transaction(async (tx) => {
      if (!(await tellsProgress(tx, change.id, text))) return;
      await tellProgress(tx, wake, change, 'MOVING', text);
    });
  }

  /** Undefined if another process was faster or the change was altered in between. */
  async #take(tx: Transaction, seen: RingChangeRow): Promise<string | undefined> {
    const { wake } = this.#options;
    await lockFederation(tx);
    const change = (await readChanges(tx, [seen.id])).get(seen.id);
    if (change === undefined || change.version !== seen.version) return undefined;
    const { number } = change;
    const ring = await ringOf(tx, number);
    if (change.recovers !== null) return this.#recover(tx, change, ring);
    if (change.step !== undefined) {
      const { epoch, next } = change.step;
      invariant(next !== undefined, 'a step of a move needs a next ring');
      await makeRing(tx, wake, number, epoch + 1, next);
      await endStep(tx, change.id);
      await tellProgress(tx, wake, change, 'STEP_DONE', `step ${change.stepsDone + 1} is done`);
      return 'a step of a change of a ring is done';
    }
    const next = await nextOf(tx, ring);
    if (next === undefined) {
      await end(tx, wake, change, 'SUCCEEDED');
      return 'a change of a ring is done';
    }
    const step = { epoch: ring.epoch + 1, next };
    await beginStep(tx, change.id, step);
    await tellRing(tx, wake, { number, ring, ...step });
    return 'a step of a change of a ring begins';
  }

  async #recover(tx: Transaction, change: RingChangeRow, ring: RingRow): Promise<string> {
    const { wake } = this.#options;
    const { number, recovers } = change;
    if (change.step === undefined) {
      const epoch = ring.epoch + 1;
      await beginStep(tx, change.id, { epoch, next: undefined });
      await tellMade(tx, wake, await insertRing(tx, number, epoch, ring));
      await tellRing(tx, wake, { number, epoch, ring, recovering: recovers === null ? [] : [recovers] });
      return 'a cluster begins to recover its data of a ring';
    }
    await endStep(tx, change.id);
    await tellProgress(tx, wake, change, 'STEP_DONE', `step ${change.stepsDone + 1} is done`);
    await tellRing(tx, wake, { number, epoch: ring.epoch, ring });
    await end(tx, wake, change, 'SUCCEEDED');
    return 'a cluster has recovered its data of a ring';
  }
}

/** Clusters that copy data in the current step, with their last report, by the UUID of the change. */
export async function progressOf(
  sql: Sql,
  changes: readonly RingChangeRow[],
): Promise<ReadonlyMap<string, readonly StepProgress[]>> {
  const stepping = changes.filter(({ step }) => step !== undefined);
  if (stepping.length === 0) return new Map();
  const clusters = await liveClusters(sql);
  const controllers = await controllersOf(
    sql,
    clusters.map(({ id }) => id),
  );
  const rings = await presentRings(
    sql,
    stepping.flatMap(({ step, number }) => (step?.next === undefined ? [] : [number])),
  );
  const toldBy = (cluster: ClusterRow | undefined, { number, step }: RingChangeRow) =>
    (controllers.get(cluster?.id ?? '') ?? [])
      .flatMap(({ state }) => state?.takeOvers ?? [])
      .filter((each) => each.ring === number && each.epoch === step?.epoch)
      .toSorted((one, other) => one.left - other.left)
      .at(0);
  const byNumber = new Map(clusters.map((cluster) => [cluster.number, cluster]));
  return new Map(
    stepping.map((change) => [
      change.id,
      copyingOf(change, rings).map((number) => ({ number, told: toldBy(byNumber.get(number), change) })),
    ]),
  );
}

/** Numbers of the clusters, in order. */
function copyingOf({ number, step, recovers }: RingChangeRow, rings: ReadonlyMap<number, RingRow>): readonly number[] {
  if (recovers !== null) return [recovers];
  const ring = rings.get(number);
  invariant(ring !== undefined && step?.next !== undefined, `a step of ring ${number} has no ring`);
  return copyingIn(ring, step.next);
}

/** Finished steps, and complete partitions of the current one, 0 to 100. */
export function percentOf(
  { state, stepsPlanned, stepsDone }: RingChangeRow,
  progress: readonly StepProgress[],
): number {
  if (state === 'SUCCEEDED') return 100;
  const shares = progress.map(({ told }) => {
    if (told === undefined) return 0;
    return told.partitions === 0 ? 1 : 1 - told.left / told.partitions;
  });
  const ofStep = shares.length === 0 ? 0 : Math.min(...shares);
  return (100 * (stepsDone + ofStep)) / Math.max(stepsPlanned, stepsDone + 1);
}

/** Undefined if the ring already matches, or no cluster could hold it. */
export async function nextOf(sql: Sql, ring: RingRow): Promise<Ring | undefined> {
  const wanted = (await wantedRings(sql)).find(({ number }) => number === ring.number);
  if (wanted === undefined) return undefined;
  const wish = ringWish(await liveClusters(sql), wanted);
  return wish.members.length === 0 ? undefined : nextRing(ring, wish);
}

export async function ringOf(sql: Sql, number: number): Promise<RingRow> {
  const ring = (await presentRings(sql, [number])).get(number);
  invariant(ring !== undefined, `there is no ring ${number}`);
  return ring;
}

/** Replaces the ring and publishes the new one. */
export async function makeRing(tx: Transaction, wake: Wake, number: number, epoch: number, ring: Ring): Promise<void> {
  await tellMade(tx, wake, await insertRing(tx, number, epoch, ring));
  await tellRing(tx, wake, { number, epoch, ring });
}

export async function end(tx: Transaction, wake: Wake, change: RingChangeRow, state: RingChangeState): Promise<void> {
  await setChangeState(tx, change.id, state);
  await tellState(tx, wake, change, state);
}

/** Each event takes the version that the row has at that time, so versions rise from event to event. */
export async function tellState(
  tx: Transaction,
  wake: Wake,
  { id, state: from }: Pick<RingChangeRow, 'id' | 'state'>,
  to: RingChangeState,
  isNew = false,
): Promise<void> {
  const version = (await readChanges(tx, [id])).get(id)?.version ?? 1;
  const event = { projectId: null, subjectId: id, subjectVersion: version, from: isNew ? null : from, to } as const;
  await appendStatus(tx, objectEvents, [{ ...event, kind: 'objectRingChange.state' }], wake);
}

async function tellProgress(
  tx: Transaction,
  wake: Wake,
  { id }: Pick<RingChangeRow, 'id'>,
  to: 'MOVING' | 'STEP_DONE',
  reason: string,
): Promise<void> {
  const version = (await readChanges(tx, [id])).get(id)?.version ?? 1;
  const event = { projectId: null, subjectId: id, subjectVersion: version, from: 'MOVING', to, reason } as const;
  await appendStatus(tx, objectEvents, [{ ...event, kind: 'objectRingChange.progress' }], wake);
}
