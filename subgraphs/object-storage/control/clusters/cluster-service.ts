// Creates, changes and deletes clusters.
import { isDeepStrictEqual } from 'node:util';
import type {
  ObjectClusterCreateInput,
  ObjectClusterDeleteInput,
  ObjectClusterUpdateInput,
} from '../../../../generated/graph/object-storage.ts';
import type { RequestContext } from '../../../../platform/caller/identity.ts';
import type { Transaction } from '../../../../platform/database/database.ts';
import type { MutationOutcome } from '../../../../platform/edge/mutation.ts';
import { refuse } from '../../../../platform/errors/errors.ts';
import { appendStatus } from '../../../../platform/events/append.ts';
import type { InputCheck } from '../../../../platform/input/input.ts';
import { refuseTaken } from '../../../../platform/input/refusals.ts';
import { newUuid } from '../../../../platform/values/ids.ts';
import { type ClusterState, highestCluster, mostClusters } from '../../wire/documents/documents.ts';
import { objectEvents } from '../events.ts';
import { followWish, mostOptions, ringWish } from '../rings/wanted-rings.ts';
import { Administered, type ServiceDependencies } from '../stores/administered.ts';
import {
  type ClusterRow,
  type ClusterWish,
  deleteCluster,
  insertCluster,
  liveClusters,
  readClusters,
  updateCluster,
} from '../stores/cluster-store.ts';
import { deleteControllers } from '../stores/controller-store.ts';
import { giveClusterNumber, lockFederation } from '../stores/federation-store.ts';
import { liveOptions } from '../stores/option-store.ts';
import { liveChanges } from '../stores/ring-change-store.ts';
import { pageOfRings } from '../stores/ring-store.ts';
import { checkOrigins } from './origins.ts';

type Outcome = Promise<MutationOutcome<ClusterRow>>;
type Given = Omit<ObjectClusterUpdateInput, 'id' | 'idempotencyKey' | 'expectedVersion'>;

const atId = { field: ['input', 'id'] };

export class ClusterService {
  readonly #dependencies: ServiceDependencies;
  readonly #clusters: Administered<ClusterRow>;

  constructor(dependencies: ServiceDependencies) {
    this.#dependencies = dependencies;
    this.#clusters = new Administered(dependencies, { type: 'ObjectCluster', read: readClusters });
  }

  create(context: RequestContext, input: ObjectClusterCreateInput): Outcome {
    return this.#clusters.run('objectClusterCreate', context, input, ({ check }) => {
      const wish = checkWish(check, input, {
        ...{ name: input.name, zone: input.name, weight: 100, site: '', state: 'ACTIVE' },
        ...{ peerUrls: [], controllerUrls: [], s3Urls: [] },
      });
      check.throwIfAny();
      return async (tx) => {
        const federation = await lockFederation(tx);
        const { nextCluster: number } = federation;
        if (number > highestCluster) refuse('LIMIT_REACHED', `all ${highestCluster + 1} cluster numbers are used up`);
        if ((await liveClusters(tx)).length >= mostClusters)
          refuse('LIMIT_REACHED', `there are ${mostClusters} clusters: delete one first`);
        const id = newUuid();
        await refuseTaken('cluster', wish.name, insertCluster(tx, id, number, wish));
        await giveClusterNumber(tx);
        await this.#tell(tx, { id, version: 0 }, null, wish.state);
        await followWish(tx, this.#dependencies.wake, federation);
        return id;
      };
    });
  }

  update(context: RequestContext, input: ObjectClusterUpdateInput): Outcome {
    return this.#clusters.run('objectClusterUpdate', context, input, async ({ check }) => {
      checkWish(check, input, await this.#clusters.find(check, input));
      check.throwIfAny();
      return async (tx) => {
        const federation = await lockFederation(tx);
        const row = await this.#clusters.present(tx, input);
        const wish = checkWish(check, input, row);
        if (isDeepStrictEqual({ ...row, ...wish }, row)) return row.id;
        // Other clusters know a machine by the name of its cluster, and would refuse all machines with the former one.
        if (wish.name !== row.name && row.publicKey !== null)
          refuse(
            'WRONG_STATE',
            `the machines of ${row.name} are named after it, and one of its controllers has connected: keep the name, or create another cluster and remove this one`,
            { field: ['input', 'name'] },
          );
        if (wish.state === 'DRAINING' && row.state === 'ACTIVE') await refuseLast(tx, row, ['input', 'clusterState']);
        await refuseTaken('cluster', wish.name, updateCluster(tx, row.id, wish));
        if (wish.state !== row.state) await this.#tell(tx, row, row.state, wish.state);
        await followWish(tx, this.#dependencies.wake, federation);
        return row.id;
      };
    });
  }

  delete(context: RequestContext, input: ObjectClusterDeleteInput): Outcome {
    return this.#clusters.run('objectClusterDelete', context, input, async ({ check }) => {
      await this.#clusters.find(check, input);
      return async (tx) => {
        const federation = await lockFederation(tx);
        const row = await this.#clusters.present(tx, input);
        await refuseLast(tx, row, ['input', 'id']);
        await refuseChosen(tx, row);
        if (federation.inUse) await refuseInRing(tx, row);
        await deleteCluster(tx, row.id);
        await deleteControllers(tx, row.id);
        await this.#tell(tx, row, row.state, 'DELETED');
        await followWish(tx, this.#dependencies.wake, federation);
        return row.id;
      };
    });
  }

  async #tell(
    tx: Transaction,
    { id, version }: Pick<ClusterRow, 'id' | 'version'>,
    from: ClusterState | null,
    to: ClusterState | 'DELETED',
  ): Promise<void> {
    const event = { kind: 'objectCluster.state', projectId: null, subjectId: id, subjectVersion: version + 1 } as const;
    await appendStatus(tx, objectEvents, [{ ...event, from, to }], this.#dependencies.wake);
  }
}

/** Checks the input. Omitted fields keep the values of `before`. */
function checkWish(check: InputCheck, given: Given, before: ClusterWish): ClusterWish {
  const wish = {
    name: given.name ?? before.name,
    zone: given.zone ?? before.zone,
    weight: given.weight ?? before.weight,
    site: given.site === undefined ? before.site : (given.site ?? ''),
    state: given.clusterState ?? before.state,
    peerUrls: given.peerUrls == null ? before.peerUrls : checkOrigins(check, 'peerUrls', given.peerUrls, ['https']),
    controllerUrls:
      given.controllerUrls == null
        ? before.controllerUrls
        : checkOrigins(check, 'controllerUrls', given.controllerUrls, ['https']),
    s3Urls: given.s3Urls == null ? before.s3Urls : checkOrigins(check, 's3Urls', given.s3Urls, ['https', 'http']),
  };
  check.name('name', wish.name);
  if (given.zone != null) check.name('zone', wish.zone);
  check.integer('weight', wish.weight, { min: 1, max: 1_000_000 });
  check.text('site', wish.site, { max: 255 });
  return wish;
}

/** The core ring and each option need at least one cluster. */
async function refuseLast(tx: Transaction, row: ClusterRow, field: readonly string[]): Promise<void> {
  if (row.state !== 'ACTIVE') return;
  const others = (await liveClusters(tx)).filter(({ id }) => id !== row.id);
  if (!others.some(({ state }) => state === 'ACTIVE'))
    refuse('WRONG_STATE', `${row.name} is the last active cluster: create another one first`, { field });
  const left = (await liveOptions(tx)).find((option) => ringWish(others, option).members.length === 0);
  if (left !== undefined)
    refuse('IN_USE', `${row.name} is the last active cluster of the option ${left.name}: change the option first`, {
      field,
    });
}

async function refuseChosen(tx: Transaction, row: ClusterRow): Promise<void> {
  const option = (await liveOptions(tx)).find(({ clusterIds }) => clusterIds.includes(row.id));
  if (option !== undefined)
    refuse('IN_USE', `the option ${option.name} names the cluster ${row.name}: change the option first`, atId);
}

async function refuseInRing(tx: Transaction, row: ClusterRow): Promise<void> {
  const rings = await pageOfRings(tx, 'OLDEST', undefined, mostOptions + 1);
  const ring = rings.find(({ clusters }) => clusters.includes(row.number));
  if (ring !== undefined)
    refuse('IN_USE', `the cluster ${row.name} holds replicas of ring ${ring.number}: change the ring first`, atId);
  const change = (await liveChanges(tx)).find(({ step }) => step?.next?.clusters.includes(row.number));
  if (change !== undefined)
    refuse(
      'IN_USE',
      `the cluster ${row.name} gains replicas in the change of ring ${change.number}: end that change first`,
      atId,
    );
}
