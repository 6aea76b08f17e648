// Resolvers of clusters, options and rings.
import type { Resolvers } from '../../../../generated/graph/object-storage.ts';
import type { Database } from '../../../../platform/database/database.ts';
import { protectionField } from '../../../../platform/edge/deletion-protection.ts';
import { deletePayload, payload } from '../../../../platform/edge/mutation.ts';
import { entityFeed } from '../../../../platform/events/entity-feed.ts';
import type { StatusFeed } from '../../../../platform/events/feed.ts';
import { uptimeField } from '../../../../platform/events/uptime/uptime-reads.ts';
import { adminCaller } from '../../../../platform/input/authorise.ts';
import { clustersOfPartition, countsOf, partitionCount } from '../../../../platform/rings/ring.ts';
import { encodeId } from '../../../../platform/values/ids.ts';
import { mapStream } from '../../../../platform/work/pull-stream.ts';
import type { OptionService } from '../options/option-service.ts';
import type { RingChangeService } from '../rings/ring-change-service.ts';
import { percentOf, type StepProgress } from '../rings/ring-changes.ts';
import type { ClusterRow } from '../stores/cluster-store.ts';
import type { RingMemberRow, RingRow } from '../stores/ring-store.ts';
import type { ClusterService } from './cluster-service.ts';
import type { ClusterServices } from './cluster-services.ts';
import type { ObjectStorageReads } from './reads.ts';

interface ResolverDependencies {
  readonly db: Database;
  readonly reads: ObjectStorageReads;
  readonly clusters: ClusterService;
  readonly services: ClusterServices;
  readonly options: OptionService;
  readonly ringChanges: RingChangeService;
  readonly feed: StatusFeed;
}

export function controlPlaneResolvers(dependencies: ResolverDependencies): Resolvers {
  const { db, reads } = dependencies;
  return {
    Query: queries(reads),
    Mutation: mutations(dependencies),
    Subscription: { objectStatusChanges: statusChanges(dependencies) },
    ...clusterResolvers(reads, db),
    ...ringResolvers(reads),
    ...changeResolvers(reads),
  };
}

function queries(reads: ObjectStorageReads): Required<Resolvers>['Query'] {
  return {
    objectEndpoints: (_, _args, context) => reads.endpoints(context),
    objectCluster: (_, { id }, context) => reads.clusterByGlobalId(context, id),
    objectClusters: (_, args, context) => reads.clusters(context, args),
    objectOption: (_, { id }, context) => reads.optionByGlobalId(context, id),
    objectOptions: (_, args, context) => reads.options(context, args),
    objectRing: (_, { id }, context) => reads.ringByGlobalId(context, id),
    objectRings: (_, args, context) => reads.rings(context, args),
    objectRingChangePreview: (_, { number }, context) => reads.ringPreview(context, number),
    objectRingChange: (_, { id }, context) => reads.ringChangeByGlobalId(context, id),
    objectRingChanges: (_, args, context) => reads.ringChanges(context, args),
  };
}

function mutations({
  clusters,
  services,
  options,
  ringChanges,
}: ResolverDependencies): Required<Resolvers>['Mutation'] {
  return {
    objectClusterCreate: (_, { input }, context) => payload('objectCluster', clusters.create(context, input)),
    objectClusterUpdate: (_, { input }, context) => payload('objectCluster', clusters.update(context, input)),
    objectClusterDelete: (_, { input }, context) =>
      deletePayload('objectCluster', input.id, clusters.delete(context, input)),
    objectServiceDrain: (_, { input }, context) => payload('objectCluster', services.drain(context, input)),
    objectServiceUndrain: (_, { input }, context) => payload('objectCluster', services.undrain(context, input)),
    objectServiceRemove: (_, { input }, context) => payload('objectCluster', services.remove(context, input)),
    objectOptionCreate: (_, { input }, context) => payload('objectOption', options.create(context, input)),
    objectOptionUpdate: (_, { input }, context) => payload('objectOption', options.update(context, input)),
    async objectOptionDelete(_, { input }, context) {
      const { entity, userErrors, commit } = await options.delete(context, input);
      const isWaiting = entity !== null && !entity.deleted;
      const deletedId = commit === null || isWaiting ? null : input.id;
      return { objectOption: isWaiting ? entity : null, deletedId, userErrors, commit };
    },
    objectOptionDeleteCancel: (_, { input }, context) => payload('objectOption', options.cancelDelete(context, input)),
    objectRingChangeStart: (_, { input }, context) => payload('objectRingChange', ringChanges.start(context, input)),
    objectRingChangePause: (_, { input }, context) => payload('objectRingChange', ringChanges.pause(context, input)),
    objectRingChangeResume: (_, { input }, context) => payload('objectRingChange', ringChanges.resume(context, input)),
    objectRingChangeCancel: (_, { input }, context) => payload('objectRingChange', ringChanges.cancel(context, input)),
  };
}

type StatusChanges = NonNullable<NonNullable<Resolvers['Subscription']>['objectStatusChanges']>;

function statusChanges({ reads, feed }: ResolverDependencies): StatusChanges {
  return {
    subscribe: (_, args, context) => {
      adminCaller(context);
      const subjectType = ['ObjectCluster', 'ObjectOption', 'ObjectRingChange'];
      const read = (ids: readonly string[], type: string) => reads.changedNow(type, ids);
      const changes = entityFeed({ feed, context, args, subjectType, read });
      const none = { objectCluster: null, objectOption: null, objectRingChange: null };
      return mapStream(changes, ({ entity, ...item }) => ({
        objectStatusChanges: { ...item, ...none, ...entity },
      }));
    },
  };
}

function clusterResolvers(reads: ObjectStorageReads, db: Database): Resolvers {
  return {
    ObjectCluster: {
      __resolveReference: ({ id }, context) => reads.clusterByGlobalId(context, id),
      id: ({ id }) => encodeId('ObjectCluster', id),
      site: ({ site }) => (site === '' ? null : site),
      clusterState: ({ state }) => state,
      deletionProtected: protectionField(db, 'ObjectCluster'),
      presence: presenceOf,
      uptime: uptimeField(db, {
        ...{ subjectType: 'ObjectCluster', kind: 'objectCluster.presence', judge: 'object-storage' },
        of: (row: ClusterRow) => ({ id: row.id, status: presenceOf(row), createdAt: row.createdAt }),
      }),
      controllers: (row, _, context) => reads.controllers(context, row),
    },
    ObjectClusterController: {
      machine: ({ id }) => ({ id: encodeId('Machine', id) }),
      presence: presenceOf,
      clockAheadMs: ({ clockAheadMs }) => (clockAheadMs === null ? null : Math.round(clockAheadMs)),
      version: ({ facts }) => facts.version,
      rings: ({ state }) =>
        Object.entries(state?.rings ?? {})
          .map(([number, epoch]) => ({ number: Number(number), epoch }))
          .toSorted((one, other) => one.number - other.number),
      links: ({ state }) => (state?.links ?? []).toSorted((one, other) => one.cluster - other.cluster),
      services: ({ state }) =>
        (state?.services ?? []).toSorted(
          (one, other) => compare(one.role, other.role) || compare(one.name, other.name),
        ),
      disk: ({ state }) => state?.disk ?? null,
      measured: ({ state }) => {
        if (state?.measured == null) return null;
        const { atMs, capacityBytes, bigWrite, bigRead, smallWrite, smallRead } = state.measured;
        return {
          ...{ measuredAt: new Date(atMs), capacityBytes },
          ...{ bigWriteBytesPerSecond: Math.round(bigWrite), bigReadBytesPerSecond: Math.round(bigRead) },
          ...{ smallWriteBytesPerSecond: Math.round(smallWrite), smallReadBytesPerSecond: Math.round(smallRead) },
        };
      },
    },
    ObjectClusterRing: { ring: ({ number, epoch }, _, context) => reads.ringOfEpoch(context, number, epoch) },
    ObjectClusterService: { ready: ({ isReady }) => isReady, drained: ({ isDrained }) => isDrained === true },
    ObjectClusterLink: {
      cluster: ({ cluster }, _, context) => reads.clusterByNumber(context, cluster),
      number: ({ cluster }) => cluster,
    },
  };
}

function ringResolvers(reads: ObjectStorageReads): Resolvers {
  return {
    ObjectOption: {
      __resolveReference: ({ id }, context) => reads.optionByGlobalId(context, id),
      id: ({ id }) => encodeId('ObjectOption', id),
      clusters: (row, _, context) => reads.clustersOf(context, row),
      default: ({ isDefault }) => isDefault,
      ending: ({ endingEpoch }) => endingEpoch !== null,
      endingReason: ({ endMessage }, _, { identity }) => (identity?.admin === true ? endMessage : null),
      ring: (row, _, context) => reads.ringOf(context, row),
    },
    ObjectRing: {
      __resolveReference: ({ id }, context) => reads.ringByGlobalId(context, id),
      id: ({ id }) => encodeId('ObjectRing', id),
      version: () => 1,
      option: ({ number }, _, context) => reads.optionByNumber(context, number),
      clusters: membersOf,
      clustersOf(ring, { partition }) {
        if (partition < 0 || partition >= partitionCount) return null;
        const members = new Map(membersOf(ring).map((member) => [member.number, member]));
        return clustersOfPartition(ring, partition).flatMap((number) => members.get(number) ?? []);
      },
      change: ({ number }, _, context) => reads.changeOf(context, number),
      updatedAt: ({ createdAt }) => createdAt,
    },
    ObjectRingShare: { cluster: ({ number }, _, context) => reads.clusterByNumber(context, number) },
    ObjectRingMember: { cluster: ({ number }, _, context) => reads.clusterByNumber(context, number) },
  };
}

function changeResolvers(reads: ObjectStorageReads): Resolvers {
  return {
    ObjectRingChangePreview: {
      stepCount: ({ steps }) => steps,
      movedPercent: ({ movedShare }) => 100 * movedShare,
    },
    ObjectRingChange: {
      __resolveReference: ({ id }, context) => reads.ringChangeByGlobalId(context, id),
      id: ({ id }) => encodeId('ObjectRingChange', id),
      ring: (row, _, context) => reads.ringOf(context, row),
      reason: async (row, _, context) => obstaclesIn(await reads.ringChangeProgress(context, row)),
      recoveredCluster: ({ recovers }, _, context) =>
        recovers === null ? null : reads.clusterByNumber(context, recovers),
      recoveredNumber: ({ recovers }) => recovers,
      stepCount: ({ stepsPlanned }) => stepsPlanned,
      movedPercent: ({ movedShare }) => 100 * movedShare,
      gaining: (row, _, context) => reads.ringChangeProgress(context, row),
      progressPercent: async (row, _, context) => percentOf(row, await reads.ringChangeProgress(context, row)),
      startedAt: ({ createdAt }) => createdAt,
      finishedAt: ({ endedAt }) => endedAt,
    },
    ObjectRingChangeProgress: {
      cluster: ({ number }, _, context) => reads.clusterByNumber(context, number),
      partitions: ({ told }) => told?.partitions ?? null,
      left: ({ told }) => told?.left ?? null,
      movedBytes: ({ told }) => told?.movedBytes ?? null,
      message: ({ told }) => told?.message ?? null,
    },
  };
}

function presenceOf({ present }: { readonly present: boolean }): 'PRESENT' | 'ABSENT' {
  return present ? 'PRESENT' : 'ABSENT';
}

function membersOf(ring: RingRow): readonly RingMemberRow[] {
  const counts = countsOf(ring);
  return ring.members.map(({ cluster, weight, zone }) => ({
    ...{ number: cluster, weight, zone, partitions: counts.get(cluster) ?? 0 },
  }));
}

/** Null if no cluster reports one. */
function obstaclesIn(progress: readonly StepProgress[]): string | null {
  const obstacles = progress.flatMap(({ number, told }) =>
    told?.message == null ? [] : [`cluster ${number}: ${told.message}`],
  );
  return obstacles.length === 0 ? null : obstacles.join('; ');
}

function compare(one: string, other: string): number {
  return one < other ? -1 : Number(one > other);
}
