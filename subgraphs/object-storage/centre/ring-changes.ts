// Takes changes of rings on, step by step. While a step is under way each read and write needs a majority of both rings; it ends when every cluster
// that gains a partition says that it has everything of it. Each process with the role object-storage looks; what follows is decided in the
// transaction that has locked the federation.
import type { Database, Sql, Transaction } from '../../../platform/database/database.ts';
import { invariant } from '../../../platform/errors.ts';
import { appendStatus } from '../../../platform/events/append.ts';
import type { Logger } from '../../../platform/log.ts';
import { nextRing } from '../../../platform/rings/next-ring.ts';
import { gainsIn, type Ring } from '../../../platform/rings/ring.ts';
import type { Wake } from '../../../platform/wake.ts';
import { objectEvents, type RingChangeState } from '../events.ts';
import type { TakeOver } from '../wire/controller-wire.ts';
import { type ClusterRow, liveClusters } from './cluster-store.ts';
import { controllersOf } from './controller-store.ts';
import { lockFederation } from './federation-store.ts';
import {
  beginStep,
  endStep,
  liveChanges,
  type RingChangeRow,
  readChanges,
  setChangeState,
  tellsProgress,
} from './ring-change-store.ts';
import { insertRing, presentRings, type RingRow } from './ring-store.ts';
import { tellRing } from './wanted-documents.ts';
import { ringWish, tellMade, wantedRings } from './wanted-rings.ts';

/** As long as a reason of an event. */
const mostProgress = 1_000;

export interface RingChangesOptions {
  readonly db: Database;
  readonly wake: Wake;
  readonly log: Logger;
}

export interface StepProgress {
  /** Of the cluster that gains partitions. */
  readonly number: number;
  /** Undefined: it has not said anything of this step yet. */
  readonly told: TakeOver | undefined;
}

export class RingChanges {
  readonly #options: RingChangesOptions;

  constructor(options: RingChangesOptions) {
    this.#options = options;
  }

  /** Looks once at each change that has not ended. */
  async advance(): Promise<void> {
    const { db, log } = this.#options;
    for (const change of await liveChanges(db)) {
      if (change.step === undefined && change.state !== 'RUNNING') continue;
      const progress = await progressOf(db, change);
      if (!progress.every(({ told }) => told?.left === 0)) {
        await this.#tell(change, progress);
        continue;
      }
      const did = await db.transaction((tx) => this.#take(tx, change));
      if (did !== undefined) log.info({ ring: change.number, change: change.id }, did);
    }
  }

  async #tell(change: RingChangeRow, progress: readonly StepProgress[]): Promise<void> {
    const { db, wake } = this.#options;
    const lacks = progress.map(({ number, told }) =>
      told === undefined
        ? `cluster ${number} has not said anything yet`
        : `cluster ${number} lacks ${told.left} of ${told.partitions} partitions`,
    );
    const text = `step ${change.stepsDone + 1}: ${lacks.join('; ')}`.slice(0, mostProgress);
    await db.transaction(async (tx) => {
      if (!(await tellsProgress(tx, change.id, text))) return;
      await tellProgress(tx, wake, change, 'MOVING', text);
    });
  }

  /** Undefined: another process was faster, or somebody changed it. */
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
      invariant(next !== undefined, 'a step of a move leads to a ring');
      await makeRing(tx, wake, number, epoch + 1, next);
      await endStep(tx, change.id);
      await tellProgress(tx, wake, change, 'STEP_DONE', `step ${change.stepsDone + 1} is done`);
      return 'a step of a change of a ring is done';
    }
    const next = await nextOf(tx, ring);
    if (next === undefined) {
      await end(tx, wake, change, 'DONE');
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
      return 'a cluster takes over what the others have of a ring';
    }
    await endStep(tx, change.id);
    await tellProgress(tx, wake, change, 'STEP_DONE', `step ${change.stepsDone + 1} is done`);
    await tellRing(tx, wake, { number, epoch: ring.epoch, ring });
    await end(tx, wake, change, 'DONE');
    return 'a cluster has what the others have of a ring again';
  }
}

/** Who gains partitions in the step that is under way, and what it says of it. */
export async function progressOf(
  sql: Sql,
  { number, step, recovers }: RingChangeRow,
): Promise<readonly StepProgress[]> {
  if (step === undefined) return [];
  const clusters = await liveClusters(sql);
  const gains = step.next === undefined ? undefined : gainsIn(await ringOf(sql, number), step.next);
  const gaining = recovers === null ? new Set(gains?.keys()) : new Set([recovers]);
  const rows = clusters.filter((cluster) => gaining.has(cluster.number));
  const controllers = await controllersOf(
    sql,
    rows.map(({ id }) => id),
  );
  const told = ({ id }: ClusterRow) =>
    (controllers.get(id) ?? [])
      .flatMap(({ state }) => state?.takeOvers ?? [])
      .filter((each) => each.ring === number && each.epoch === step.epoch)
      .toSorted((one, other) => one.left - other.left)
      .at(0);
  const known = new Map(rows.map((row) => [row.number, told(row)]));
  return [...gaining].sort((one, other) => one - other).map((each) => ({ number: each, told: known.get(each) }));
}

/** Undefined: it is as wanted, or nobody could hold it. */
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

/** A ring in its place, for all to see. */
export async function makeRing(tx: Transaction, wake: Wake, number: number, epoch: number, ring: Ring): Promise<void> {
  await tellMade(tx, wake, await insertRing(tx, number, epoch, ring));
  await tellRing(tx, wake, { number, epoch, ring });
}

export async function end(tx: Transaction, wake: Wake, change: RingChangeRow, state: RingChangeState): Promise<void> {
  await setChangeState(tx, change.id, state);
  await tellState(tx, wake, change, state);
}

/** Versions of events rise with each: what the row's version is at the time. */
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
