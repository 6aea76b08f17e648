// Starts, pauses, resumes and cancels changes of rings: administrators only.
import type {
  ObjectRingChangePauseInput,
  ObjectRingChangeStartInput,
} from '../../../generated/graph/object-storage.ts';
import { caller, requireAdmin } from '../../../platform/authorise.ts';
import type { Transaction } from '../../../platform/database/database.ts';
import { refuse, unknownId } from '../../../platform/errors.ts';
import type { RequestContext } from '../../../platform/identity.ts';
import { newUuid } from '../../../platform/ids.ts';
import type { Effect, MutationOutcome } from '../../../platform/mutation.ts';
import { refuseStale } from '../../../platform/refusals.ts';
import { clustersOfPartition, gainsIn, partitionCount } from '../../../platform/rings/ring.ts';
import type { Administered, ServiceGround } from './administered.ts';
import { type ClusterRow, liveClusters } from './cluster-store.ts';
import { lockFederation } from './federation-store.ts';
import { endingOptions } from './option-store.ts';
import { insertChange, liveChanges, type RingChangeRow, readChanges, setChangeState } from './ring-change-store.ts';
import { end, makeRing, nextOf, ringOf, tellState } from './ring-changes.ts';
import { stepsTo } from './ring-preview.ts';
import { presentRings, type RingRow } from './ring-store.ts';
import { tellRing } from './wanted-documents.ts';
import { ringWish, wantedRings } from './wanted-rings.ts';

/** Those of a pause, of its end and of a cancellation are alike. */
type NamedChange = ObjectRingChangePauseInput;
type Outcome = Promise<MutationOutcome<RingChangeRow>>;

const atNumber = { field: ['input', 'number'] };
const atRecover = { field: ['input', 'recover'] };

export class RingChangeService {
  readonly #ground: ServiceGround;

  constructor(ground: ServiceGround) {
    this.#ground = ground;
  }

  start(context: RequestContext, input: ObjectRingChangeStartInput): Outcome {
    const { wake } = this.#ground;
    return this.#run('objectRingChangeStart', context, input, (check) => {
      check.integer('number', input.number, { min: 0, max: 65_535 });
      const recover = input.recover == null ? undefined : check.id('recover', input.recover, 'ObjectCluster');
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
          if (cluster === undefined) refuse('NOT_FOUND', unknownId('ObjectCluster', input.recover ?? ''), atRecover);
          refuseUnrecoverable(ring, cluster);
          await insertChange(tx, { id, number, recovers: cluster.number, movedShare: 0, steps: 1 });
        } else {
          const next = await nextOf(tx, ring);
          if (next === undefined)
            refuse('WRONG_STATE', `ring ${number} is as wanted: change a cluster or an option first`, atNumber);
          const { steps, movedShare } = stepsTo(ring, ringWish(clusters, wanted));
          const gains = gainsIn(ring, next);
          const absent = clusters.find((cluster) => gains.has(cluster.number) && !cluster.present);
          if (absent !== undefined)
            refuse(
              'WRONG_STATE',
              `the cluster ${absent.name} is to get partitions, and none of its controllers is heard: start it first`,
              atNumber,
            );
          await insertChange(tx, { id, number, recovers: null, movedShare, steps });
        }
        await tellState(tx, wake, { id, state: 'RUNNING' }, 'RUNNING', true);
        return id;
      };
    });
  }

  /** A step that is under way waits: nothing more is copied, and all that users do goes on. */
  pause(context: RequestContext, input: NamedChange): Outcome {
    return this.#set('objectRingChangePause', context, input, 'PAUSED');
  }

  resume(context: RequestContext, input: NamedChange): Outcome {
    return this.#set('objectRingChangeResume', context, input, 'RUNNING');
  }

  /** The ring stays as it was after the last step that is done. */
  cancel(context: RequestContext, input: NamedChange): Outcome {
    const { wake } = this.#ground;
    return this.#change('objectRingChangeCancel', context, input, async (tx, change) => {
      if (isOver(change)) refuse('WRONG_STATE', `the change of ring ${change.number} has ended: ${change.state}`);
      const { number, step } = change;
      if (change.recovers !== null && step !== undefined)
        refuse('WRONG_STATE', 'a cluster that takes over what it lost does not vote before it has it: wait for it');
      if (step !== undefined) await makeRing(tx, wake, number, step.epoch + 1, await ringOf(tx, number));
      await end(tx, wake, change, 'CANCELLED');
    });
  }

  #set(name: string, context: RequestContext, input: NamedChange, to: 'RUNNING' | 'PAUSED'): Outcome {
    const { wake } = this.#ground;
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
        refuseStale(input.expectedVersion, change.version);
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
    const { db, mutations } = this.#ground;
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
  return state === 'DONE' || state === 'CANCELLED';
}

function refuseUnrecoverable(ring: RingRow, { number, name }: ClusterRow): void {
  if (!ring.clusters.includes(number)) refuse('WRONG_STATE', `${name} holds nothing of ring ${ring.number}`, atRecover);
  for (let partition = 0; partition < partitionCount; partition += 1) {
    const held = clustersOfPartition(ring, partition);
    if (held.length === 1 && held.includes(number))
      refuse(
        'WRONG_STATE',
        `only ${name} held partition ${partition} of ring ${ring.number}: nobody has it now`,
        atRecover,
      );
  }
}
