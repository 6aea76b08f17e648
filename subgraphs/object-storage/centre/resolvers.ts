// Resolvers of clusters, options and rings.
import type { Resolvers } from '../../../generated/graph/object-storage.ts';
import { adminCaller } from '../../../platform/authorise.ts';
import { entityFeed } from '../../../platform/events/entity-feed.ts';
import type { StatusFeed } from '../../../platform/events/feed.ts';
import { encodeId } from '../../../platform/ids.ts';
import { payload } from '../../../platform/mutation.ts';
import { mapStream } from '../../../platform/pull-stream.ts';
import { clustersOfPartition, countsOf, partitionCount } from '../../../platform/rings/ring.ts';
import type { ClusterService } from './cluster-service.ts';
import type { ClusterServices } from './cluster-services.ts';
import type { OptionService } from './option-service.ts';
import type { ObjectStorageReads } from './reads.ts';
import type { RingChangeService } from './ring-change-service.ts';

export interface CentreParts {
  readonly reads: ObjectStorageReads;
  readonly clusters: ClusterService;
  readonly services: ClusterServices;
  readonly options: OptionService;
  readonly ringChanges: RingChangeService;
  readonly feed: StatusFeed;
}

export function centreResolvers(parts: CentreParts): Resolvers {
  const { reads, clusters, services, options, ringChanges, feed } = parts;
  return {
    Query: {
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
    },
    Mutation: {
      objectClusterCreate: (_, { input }, context) => payload('objectCluster', clusters.create(context, input)),
      objectClusterUpdate: (_, { input }, context) => payload('objectCluster', clusters.update(context, input)),
      objectClusterDelete: (_, { input }, context) => payload('objectCluster', clusters.delete(context, input)),
      objectServiceDrain: (_, { input }, context) => payload('objectCluster', services.drain(context, input)),
      objectServiceRemove: (_, { input }, context) => payload('objectCluster', services.remove(context, input)),
      objectOptionCreate: (_, { input }, context) => payload('objectOption', options.create(context, input)),
      objectOptionUpdate: (_, { input }, context) => payload('objectOption', options.update(context, input)),
      objectOptionDelete: (_, { input }, context) => payload('objectOption', options.delete(context, input)),
      objectRingChangeStart: (_, { input }, context) => payload('objectRingChange', ringChanges.start(context, input)),
      objectRingChangePause: (_, { input }, context) => payload('objectRingChange', ringChanges.pause(context, input)),
      objectRingChangeResume: (_, { input }, context) =>
        payload('objectRingChange', ringChanges.resume(context, input)),
      objectRingChangeCancel: (_, { input }, context) =>
        payload('objectRingChange', ringChanges.cancel(context, input)),
    },
    Subscription: {
      objectStatusChanges: {
        subscribe: (_, args, context) => {
          adminCaller(context);
          const subjectType = ['ObjectCluster', 'ObjectOption', 'ObjectRingChange'];
          const read = (id: string, type: string) => reads.changedNow(type, id);
          const changes = entityFeed({ feed, context, args, subjectType, read });
          const none = { objectCluster: null, objectOption: null, objectRingChange: null };
          return mapStream(changes, ({ cursor, entity }) => ({ objectStatusChanges: { cursor, ...none, ...entity } }));
        },
      },
    },
    ObjectCluster: {
      __resolveReference: ({ id }, context) => reads.clusterByGlobalId(context, id),
      id: ({ id }) => encodeId('ObjectCluster', id),
      isPresent: ({ present }) => present,
      controllers: (row, _, context) => reads.controllers(context, row),
    },
    ObjectClusterController: {
      isPresent: ({ present }) => present,
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
          ...{ measuredAt: new Date(atMs), capacityBytes, bigWriteRate: bigWrite, bigReadRate: bigRead },
          ...{ smallWriteRate: smallWrite, smallReadRate: smallRead },
        };
      },
    },
    ObjectClusterService: { isDrained: ({ isDrained }) => isDrained === true },
    ObjectClusterLink: {
      cluster: ({ cluster }, _, context) => reads.clusterByNumber(context, cluster),
      number: ({ cluster }) => cluster,
      isConnected: ({ connected }) => connected,
    },
    ObjectOption: {
      __resolveReference: ({ id }, context) => reads.optionByGlobalId(context, id),
      id: ({ id }) => encodeId('ObjectOption', id),
      clusters: (row, _, context) => reads.clustersOf(context, row),
      isEnding: ({ endingEpoch }) => endingEpoch !== null,
      endMessage: ({ endMessage }, _, { identity }) => (identity?.admin === true ? endMessage : null),
      ring: (row, _, context) => reads.ringOf(context, row),
    },
    ObjectRing: {
      __resolveReference: ({ id }, context) => reads.ringByGlobalId(context, id),
      id: ({ id }) => encodeId('ObjectRing', id),
      members: (ring) => {
        const counts = countsOf(ring);
        return ring.members.map(({ cluster, weight, zone }) => ({
          ...{ number: cluster, weight, zone, partitions: counts.get(cluster) ?? 0 },
        }));
      },
      clustersOf: (ring, { partition }) =>
        partition >= 0 && partition < partitionCount ? clustersOfPartition(ring, partition) : null,
    },
    ObjectRingChange: {
      __resolveReference: ({ id }, context) => reads.ringChangeByGlobalId(context, id),
      id: ({ id }) => encodeId('ObjectRingChange', id),
      recoveredNumber: ({ recovers }) => recovers,
      steps: ({ stepsPlanned }) => stepsPlanned,
      gaining: (row) => reads.ringChangeProgress(row),
    },
    ObjectRingChangeProgress: {
      cluster: ({ number }, _, context) => reads.clusterByNumber(context, number),
      partitions: ({ told }) => told?.partitions ?? null,
      left: ({ told }) => told?.left ?? null,
      movedBytes: ({ told }) => told?.movedBytes ?? null,
      message: ({ told }) => told?.message ?? null,
    },
    ObjectRingShare: { cluster: ({ number }, _, context) => reads.clusterByNumber(context, number) },
    ObjectRingMember: { cluster: ({ number }, _, context) => reads.clusterByNumber(context, number) },
  };
}

function compare(one: string, other: string): number {
  return one < other ? -1 : Number(one > other);
}
