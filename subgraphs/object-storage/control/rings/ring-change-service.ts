// Starts, pauses, resumes and cancels changes of rings: administrators only.
import type {
  ObjectRingChangePauseInput,
  ObjectRingChangeStartInput,
} from '../../../../generated/graph/object-storage.ts';
import type { RequestContext } from '../../../../platform/caller/identity.ts';
import type { Transaction } from '../../../../platform/database/database.ts';
import type { Effect, MutationOutcome } from '../../../../platform/edge/mutation.ts';
import { refuse, unknownId } from '../../../../platform/errors/errors.ts';
import { caller, requireAdmin } from '../../../../platform/input/authorise.ts';
import { refuseStale } from '../../../../platform/input/refusals.ts';
import { clustersOfPartition, copyingIn, partitionCount } from '../../../../platform/rings/ring.ts';
import { newUuid } from '../../../../platform/values/ids.ts';
import type { Administered, ServiceDependencies } from '../stores/administered.ts';
import { type ClusterRow, liveClusters } from '../stores/cluster-store.ts';
import { lockFederation } from '../stores/federation-store.ts';
import { endingOptions } from '../stores/option-store.ts';
import {
  insertChange,
  liveChanges,
  type RingChangeRow,
  readChanges,
  setChangeState,
} from '../stores/ring-change-store.ts';
import { presentRings, type RingRow } from '../stores/ring-store.ts';
import { tellRing } from '../stores/wanted-documents.ts';
import { end, makeRing, nextOf, ringOf, tellState } from './ring-changes.ts';
import { stepsTo } from './ring-preview.ts';
import { ringWish, wantedRings } from './wanted-rings.ts';

/** The inputs of pause, resume and cancel are the same. */
type NamedChange = ObjectRingChangePauseInput;
type Outcome = Promise<MutationOutcome<RingChangeRow>>;

const atNumber = { field: ['input', 'number'] };
const atRecover = { field: ['input', 'recoveredClusterId'] };

export class RingChangeService {
  readonly #dependencies: ServiceDependencies;

  constructor(dependencies: ServiceDependencies) {
    this.#dependencies = dependencies;
  }

  start(context: RequestContext, input: ObjectRingChangeStartInput): Outcome {
    const { wake } = this.#dependencies;
    return this.#run('objectRingChangeStart', context, input, (check) => {
      check.integer('number', input.number, { min: 0, max: 65_535 });
      const recover =
        input.recoveredClusterId == null
          ? undefined
          : check.id('recoveredClusterId', input.recoveredClusterId, 'ObjectCluster');
      check.throwIfAny();
      return async (tx) => {
        await lockFederation(tx);
        const { number } = input;
        const ring = (await presentRings(tx, [number])).get(number);
        const wanted = (await wantedRings(tx)).find((each) => each.number === number);
        if (ring === undefined || wanted === undefined) refuse('NOT_FOUND', `there is no ring ${number}`, atNumber);
        if ((await liveChanges(tx)).some((each) => each.number === number))
          refuse('WRONG_STATE', `ring ${number} changes already: wait until it is done, or cancel it`, atNumber);
        const ending = (await endingOptions(tx)).find((each) => each.number === number);
        if (ending !== undefined)
          refuse('WRONG_STATE', `the option ${ending.name} is being deleted: wait for that, or call it off`, atNumber);
        const clusters = await liveClusters(tx);
        const id = newUuid();
        if (recover !== undefined) {
          const cluster = clusters.find((each) => each.id === recover);
          if (cluster === undefined)
            refuse('NOT_FOUND', unknownId('ObjectCluster', input.recoveredClusterId ?? ''), atRecover);
          refuseUnrecoverable(ring, cluster);
          await insertChange(tx, { id, number, recovers: cluster.number, movedShare: 0, steps: 1 });
        } else {
          const next = await nextOf(tx, ring);
          if (next === undefined)
            refuse(
              'WRONG_STATE',
              `ring ${number} already matches the clusters and options: change one of them first`,
              atNumber,
            );
          const { steps, movedShare } = stepsTo(ring, ringWish(clusters, wanted));
          const copying = copyingIn(ring, next);
          const absent = clusters.find((cluster) => copying.includes(cluster.number) && !cluster.present);
          if (absent !== undefined)
            refuse(
              'WRONG_STATE',
              `the cluster ${absent.name} must copy data before the ring changes, and none of its controllers is connected: start one first`,
              atNumber,
            );
          await insertChange(tx, { id, number, recovers: null, movedShare, steps });
        }
        await tellState(tx, wake, { id, state: 'RUNNING' }, 'RUNNING', true);
        return id;
      };
    });
  }

  /** The current step waits: nothing more is copied, and users' requests go on. */
  pause(context: RequestContext, input: NamedChange): Outcome {
    return this.#set('objectRingChangePause', context, input, 'PAUSED');
  }

  resume(context: RequestContext, input: NamedChange): Outcome {
    return this.#set('objectRingChangeResume', context, input, 'RUNNING');
  }

  /** The ring stays as it was after the last finished step. */
  cancel(context: RequestContext, input: NamedChange): Outcome {
    const { wake } = this.#dependencies;
    return this.#change('objectRingChangeCancel', context, input, async (tx, change) => {
      if (isOver(change)) refuse('WRONG_STATE', `the change of ring ${change.number} has ended: ${change.state}`);
      const { number, step } = change;
      if (change.recovers !== null && step !== undefined)
        refuse('WRONG_STATE', 'a recovering cluster does not vote before it has everything it lost: wait for it');
      if (step !== undefined) await makeRing(tx, wake, number, step.epoch + 1, await ringOf(tx, number));
      await end(tx, wake, change, 'CANCELLED');
    });
  }

  #set(name: string, context: RequestContext, input: NamedChange, to: 'RUNNING' | 'PAUSED'): Outcome {
    const { wake } = this.#dependencies;
    return this.#change(name, context, input, async (tx, change) => {
      if (isOver(change)) refuse('WRONG_STATE', `the change of ring ${change.number} has ended: ${change.state}`);
      if (change.state === to) return;
      await setChangeState(tx, change.id, to);
      const { number, step, recovers } = change;
      if (step !== undefined)
        await tellRing(tx, wake, {
          ...{ number, epoch: step.epoch, next: step.next, ring: await ringOf(tx, number), isPaused: to === 'PAUSED' },
          recovering: recovers === null ? [] : [recovers],
        });
      await tellState(tx, wake, change, to);
    });
  }

  #change(
    name: string,
    context: RequestContext,
    input: NamedChange,
    effect: (tx: Transaction, change: RingChangeRow) => Promise<void>,
  ): Outcome {
    return this.#run(name, context, input, async (check) => {
      const id = check.id('id', input.id, 'ObjectRingChange');
      check.throwIfAny();
      return async (tx) => {
        await lockFederation(tx);
        const change = (await readChanges(tx, [id ?? ''])).get(id ?? '');
        if (change === undefined)
          refuse('NOT_FOUND', unknownId('ObjectRingChange', input.id), { field: ['input', 'id'] });
        refuseStale(input.expectedVersion, change);
        await effect(tx, change);
        return change.id;
      };
    });
  }

  #run(
    name: string,
    context: RequestContext,
    input: object,
    prepare: (check: Parameters<Parameters<Administered<never>['run']>[3]>[0]['check']) => Promise<Effect> | Effect,
  ): Outcome {
    const { db, mutations } = this.#dependencies;
    return mutations.run({
      ...{ name, context, input, subject: 'ObjectRingChange' },
      prepare: ({ check }) => {
        requireAdmin(caller(context));
        return prepare(check);
      },
      read: async (id) => (await readChanges(db, [id])).get(id),
    });
  }
}

function isOver({ state }: RingChangeRow): boolean {
  return state === 'SUCCEEDED' || state === 'CANCELLED';
}

function refuseUnrecoverable(ring: RingRow, { number, name }: ClusterRow): void {
  if (!ring.clusters.includes(number))
    refuse('WRONG_STATE', `${name} holds no partition of ring ${ring.number}`, atRecover);
  for (let partition = 0; partition < partitionCount; partition += 1) {
    const held = clustersOfPartition(ring, partition);
    if (held.length === 1 && held.includes(number))
      refuse(
        'WRONG_STATE',
        `only ${name} held partition ${partition} of ring ${ring.number}: no copy is left`,
        atRecover,
      );
  }
}
