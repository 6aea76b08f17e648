// Resolvers of containers and objects.
import type { Resolvers } from '../../../generated/graph/object-storage.ts';
import { decodeCmpObject, encodeCmpObject } from '../../../platform/graph/cmp-object.ts';
import { encodeId } from '../../../platform/ids.ts';
import { payload } from '../../../platform/mutation.ts';
import { type ContainerReads, encodeContainer } from './container-reads.ts';
import type { ContainerService } from './container-service.ts';
import type { UrlService } from './url-service.ts';

export function containerResolvers(reads: ContainerReads, service: ContainerService, urls: UrlService): Resolvers {
  return {
    Query: {
      objectContainer: (_, { id }, context) => reads.byGlobalId(context, id),
      objectContainers: (_, args, context) => reads.ofProject(context, args),
    },
    Mutation: {
      objectContainerCreate: (_, { input }, context) => payload('objectContainer', service.create(context, input)),
      objectContainerDelete: (_, { input }, context) => payload('objectContainer', service.delete(context, input)),
      objectUploadUrl: (_, { input }, context) => urls.upload(context, input),
      objectDownloadUrl: (_, { input }, context) => urls.download(context, input),
    },
    ObjectContainer: {
      __resolveReference: ({ id }, context) => reads.byGlobalId(context, id),
      id: (row) => encodeContainer(row),
      project: ({ projectId }) => ({ id: encodeId('Project', projectId) }),
      cmpObject: async (row, _, context) => {
        const cmp = await reads.cmpObjectOf(context, row);
        return cmp === null ? null : { id: encodeCmpObject(cmp) };
      },
      objects: (row, args) => reads.objects(row, args),
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
