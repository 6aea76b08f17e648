// Resolvers of containers and objects.
import type { Resolvers } from '../../../../generated/graph/object-storage.ts';
import { deletePayload, payload } from '../../../../platform/edge/mutation.ts';
import { decodeCmpObject, encodeCmpObject } from '../../../../platform/pages/cmp-object.ts';
import { encodeId } from '../../../../platform/values/ids.ts';
import type { ObjectStorageReads } from '../clusters/reads.ts';
import { type ContainerReads, encodeContainer } from './container-reads.ts';
import type { ContainerService } from './container-service.ts';
import type { UrlService } from './url-service.ts';

interface ContainerDependencies {
  readonly reads: ContainerReads;
  readonly rows: ObjectStorageReads;
  readonly service: ContainerService;
  readonly urls: UrlService;
}

export function containerResolvers({ reads, rows, service, urls }: ContainerDependencies): Resolvers {
  return {
    Query: {
      objectContainer: (_, { id }, context) => reads.byGlobalId(context, id),
      objectContainers: (_, args, context) => reads.ofProject(context, args),
    },
    Mutation: {
      objectContainerCreate: (_, { input }, context) => payload('objectContainer', service.create(context, input)),
      objectContainerDelete: (_, { input }, context) =>
        deletePayload('objectContainer', input.id, service.delete(context, input)),
      objectUploadUrlCreate: (_, { input }, context) => urls.upload(context, input),
      objectDeleteUrlCreate: (_, { input }, context) => urls.delete(context, input),
      objectDownloadUrlCreate: (_, { input }, context) => urls.download(context, input),
    },
    ObjectContainer: {
      __resolveReference: ({ id }, context) => reads.byGlobalId(context, id),
      id: (row) => encodeContainer(row),
      project: ({ projectId }) => ({ id: encodeId('Project', projectId) }),
      version: () => 1,
      option: ({ optionId, optionName }, _, context) =>
        optionId == null ? rows.optionNamed(context, optionName) : rows.option(context, optionId),
      updatedAt: ({ createdAt }) => createdAt,
      cmpObject: async (row, _, context) => {
        const cmp = await reads.cmpObjectOf(context, row);
        return cmp === null ? null : { id: encodeCmpObject(cmp) };
      },
      objects: (row, args) => reads.objects(row, args),
      entries: (row, args) => reads.entries(row, args),
    },
    ObjectOption: { containers: (row, args, context) => reads.ofOption(context, row, args) },
    ObjectContainerUrl: {
      cluster: ({ cluster }, _, { identity }) => (identity?.admin === true ? cluster : null),
      clusterName: ({ cluster }) => cluster.name,
    },
    ObjectContainerItem: { modifiedAt: ({ modifiedAtMs }) => new Date(modifiedAtMs) },
    CmpObject: {
      __resolveReference: ({ id }) => (decodeCmpObject(id) === undefined ? null : { id }),
      objectContainers: (cmpObject, args, context) => {
        const cmp = decodeCmpObject(cmpObject.id);
        return cmp === undefined ? null : reads.forCmpObject(context, cmp, args);
      },
    },
  };
}
