// Creates, changes and deletes options.
import { isDeepStrictEqual } from 'node:util';
import type {
  ObjectOptionCreateInput,
  ObjectOptionDeleteCancelInput,
  ObjectOptionDeleteInput,
  ObjectOptionUpdateInput,
} from '../../../../generated/graph/object-storage.ts';
import type { RequestContext } from '../../../../platform/caller/identity.ts';
import type { Sql, Transaction } from '../../../../platform/database/database.ts';
import type { MutationOutcome } from '../../../../platform/edge/mutation.ts';
import { refuse, unknownId } from '../../../../platform/errors/errors.ts';
import type { InputCheck } from '../../../../platform/input/input.ts';
import { refuseTaken } from '../../../../platform/input/refusals.ts';
import { encodeId, newUuid } from '../../../../platform/values/ids.ts';
import { highestRing, mostClusters, mostReplicas } from '../../wire/documents/documents.ts';
import type { ClusterQuestions } from '../questions/cluster-questions.ts';
import { followWish, mostOptions, ringWish } from '../rings/wanted-rings.ts';
import { Administered, type ServiceDependencies } from '../stores/administered.ts';
import { liveClusters } from '../stores/cluster-store.ts';
import { giveOptionNumber, isInUse, lockFederation } from '../stores/federation-store.ts';
import {
  insertOption,
  liveOptions,
  type OptionRow,
  type OptionWish,
  readOptions,
  updateOption,
} from '../stores/option-store.ts';
import { liveChanges } from '../stores/ring-change-store.ts';
import { presentRings } from '../stores/ring-store.ts';
import { beginEnd, keepOption, removeOption, tellState } from './option-ends.ts';
import { clustersOfPreset } from './option-presets.ts';
import { useOfOption } from './option-use.ts';

type Outcome = Promise<MutationOutcome<OptionRow>>;
type Given = Omit<ObjectOptionUpdateInput, 'id' | 'idempotencyKey' | 'expectedVersion'>;

const namePattern = /^[a-z0-9]([a-z0-9_-]*[a-z0-9])?$/;

export class OptionService {
  readonly #dependencies: ServiceDependencies;
  readonly #options: Administered<OptionRow>;
  readonly #clusters: ClusterQuestions;

  constructor(dependencies: ServiceDependencies, clusters: ClusterQuestions) {
    this.#dependencies = dependencies;
    this.#clusters = clusters;
    this.#options = new Administered(dependencies, { type: 'ObjectOption', read: readOptions });
  }

  create(context: RequestContext, input: ObjectOptionCreateInput): Outcome {
    return this.#options.run('objectOptionCreate', context, input, ({ check }) => {
      const before = { name: input.name, replicas: 3, clusterIds: [], nearestReads: false, isDefault: false };
      const given = checkWish(check, input, before);
      const { preset } = input;
      if (preset != null && given.clusterIds.length > 0)
        check.fault('preset', 'preset and clusterIds both choose the clusters: give one of them');
      check.throwIfAny();
      return async (tx) => {
        const federation = await lockFederation(tx);
        const clusterIds = preset == null ? given.clusterIds : await clustersOfPreset(tx, preset, given.replicas);
        const wish = { ...given, clusterIds };
        const options = await liveOptions(tx);
        if (federation.nextOption > highestRing)
          refuse('LIMIT_REACHED', `all ${highestRing} option numbers are used up`);
        if (options.length >= mostOptions)
          refuse('LIMIT_REACHED', `there are ${mostOptions} options: delete one first`);
        await refuseUnusable(tx, wish);
        // One that is being deleted takes no containers any more, and would leave no default behind.
        const hasDefault = options.some((each) => each.isDefault && each.endingEpoch === null);
        const isDefault = wish.isDefault || !hasDefault;
        if (isDefault) await this.#endDefault(tx, options);
        const id = newUuid();
        const write = insertOption(tx, id, federation.nextOption, { ...wish, isDefault });
        await refuseTaken('storage option', wish.name, write);
        await giveOptionNumber(tx);
        await this.#tell(tx, id, 'CREATED');
        await followWish(tx, this.#dependencies.wake, federation);
        return id;
      };
    });
  }

  update(context: RequestContext, input: ObjectOptionUpdateInput): Outcome {
    return this.#options.run('objectOptionUpdate', context, input, async ({ check }) => {
      checkWish(check, input, await this.#options.find(check, input));
      check.throwIfAny();
      return async (tx) => {
        const federation = await lockFederation(tx);
        const row = await this.#options.present(tx, input);
        const wish = checkWish(check, input, row);
        if (row.endingEpoch !== null)
          refuse('WRONG_STATE', `${row.name} is being deleted: cancel that first, with objectOptionDeleteCancel`);
        if (row.isDefault && !wish.isDefault)
          refuse('WRONG_STATE', `${row.name} is the default: make another option the default instead`, {
            field: ['input', 'default'],
          });
        if (isDeepStrictEqual({ ...row, ...wish }, row)) return row.id;
        await refuseUnusable(tx, wish);
        if (wish.isDefault && !row.isDefault) await this.#endDefault(tx, await liveOptions(tx));
        await refuseTaken('storage option', wish.name, updateOption(tx, row.id, wish));
        await this.#tell(tx, row.id, 'CHANGED');
        await followWish(tx, this.#dependencies.wake, federation);
        return row.id;
      };
    });
  }

  delete(context: RequestContext, input: ObjectOptionDeleteInput): Outcome {
    return this.#options.run('objectOptionDelete', context, input, async ({ check }) => {
      const found = await this.#options.find(check, input);
      const { db } = this.#dependencies;
      // Asked before the transaction, which holds the lock of the federation.
      const mayBeUsed = !found.deleted && found.endingEpoch === null && (await isInUse(db));
      const use = mayBeUsed ? await useOfOption(db, this.#clusters, found.name) : undefined;
      return async (tx) => {
        const federation = await lockFederation(tx);
        const row = await this.#options.present(tx, input);
        const field = { field: ['input', 'id'] };
        if (use !== undefined) refuse('IN_USE', use, field);
        if (row.isDefault && (await liveOptions(tx)).length > 1)
          refuse('WRONG_STATE', `${row.name} is the default: make another option the default first`, field);
        if ((await liveChanges(tx)).some(({ number }) => number === row.number))
          refuse('WRONG_STATE', `ring ${row.number} changes: wait until it is done, or cancel it`, field);
        const hasRing = (await presentRings(tx, [row.number])).has(row.number);
        if (!federation.inUse || !hasRing) await removeOption(tx, this.#dependencies.wake, row, federation);
        else if (row.endingEpoch === null) await beginEnd(tx, this.#dependencies.wake, row);
        return row.id;
      };
    });
  }

  /** The option may be used again. */
  cancelDelete(context: RequestContext, input: ObjectOptionDeleteCancelInput): Outcome {
    return this.#options.run('objectOptionDeleteCancel', context, input, async ({ check }) => {
      await this.#options.find(check, input);
      return async (tx) => {
        await lockFederation(tx);
        const row = await this.#options.present(tx, input);
        if (row.endingEpoch === null)
          refuse('WRONG_STATE', `${row.name} is not being deleted`, { field: ['input', 'id'] });
        await keepOption(tx, this.#dependencies.wake, row, null);
        return row.id;
      };
    });
  }

  /** The previous default option stops being the default. */
  async #endDefault(tx: Transaction, options: readonly OptionRow[]): Promise<void> {
    for (const option of options.filter(({ isDefault }) => isDefault)) {
      await updateOption(tx, option.id, { ...option, isDefault: false });
      await this.#tell(tx, option.id, 'CHANGED');
    }
  }

  async #tell(tx: Transaction, id: string, to: 'CREATED' | 'CHANGED'): Promise<void> {
    const row = (await readOptions(tx, [id])).get(id);
    if (row !== undefined) await tellState(tx, this.#dependencies.wake, row, to);
  }
}

/** Checks the input. Omitted fields keep the values of `before`. */
function checkWish(check: InputCheck, given: Given, before: OptionWish): OptionWish {
  const clusterIds =
    given.clusterIds === undefined ? before.clusterIds : checkClusterIds(check, given.clusterIds ?? []);
  const wish = {
    name: given.name ?? before.name,
    replicas: given.replicas ?? before.replicas,
    nearestReads: given.nearestReads ?? before.nearestReads,
    isDefault: given.default ?? before.isDefault,
    clusterIds,
  };
  check.text('name', wish.name, {
    ...{ required: true, min: 1, max: 63, pattern: namePattern },
    wants: 'lower-case letters and digits, with hyphens and underscores inside',
  });
  check.integer('replicas', wish.replicas, { min: 1, max: mostReplicas });
  return wish;
}

/** UUIDs without repetitions. */
function checkClusterIds(check: InputCheck, ids: readonly string[]): readonly string[] {
  const uuidOf = (id: string, field: string) => check.id(field, id, 'ObjectCluster') ?? '';
  return [...new Set(check.list('clusterIds', ids, { max: mostClusters }, uuidOf))];
}

async function refuseUnusable(sql: Sql, wish: OptionWish): Promise<void> {
  const clusters = await liveClusters(sql);
  const known = new Set(clusters.map(({ id }) => id));
  const field = { field: ['input', 'clusterIds'] };
  const unknown = wish.clusterIds.find((id) => !known.has(id));
  if (unknown !== undefined) refuse('NOT_FOUND', unknownId('ObjectCluster', encodeId('ObjectCluster', unknown)), field);
  if (ringWish(clusters, wish).members.length === 0)
    refuse('WRONG_STATE', 'no active cluster could hold its objects: create one first, or choose others', field);
}
