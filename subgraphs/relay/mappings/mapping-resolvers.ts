// Resolvers of mappings, and the fields that mappings add to backends and CMP objects.
import type { Resolvers } from '../../../generated/graph/relay.ts';
import { decodeCmpObject, encodeCmpObject } from '../../../platform/graph/cmp-object.ts';
import { encodeId } from '../../../platform/ids.ts';
import { payload } from '../../../platform/mutation.ts';
import type { BackendReads } from '../backends/backend-reads.ts';
import { withoutHashes } from '../model/secret-arguments.ts';
import type { MappingChangeFeed } from './change-feed.ts';
import type { Difference } from './differences.ts';
import type { MappingReads } from './mapping-reads.ts';
import type { MappingService } from './mapping-service.ts';

export function mappingResolvers(parts: {
  readonly reads: MappingReads;
  readonly service: MappingService;
  readonly changes: MappingChangeFeed;
  readonly backends: BackendReads;
}): Resolvers {
  const { reads, service, changes, backends } = parts;
  return {
    Query: {
      mapping: (_, { id }, context) => reads.byGlobalId(context, id),
      mappings: (_, args, context) => reads.page(context, args),
      relayMappingChanges: (_, args, context) => changes.page(context.identity, args),
    },
    Mutation: {
      mappingAdopt: (_, { input }, context) => payload('mapping', service.adopt(context, input)),
      mappingShare: (_, { input }, context) => payload('mapping', service.share(context, input)),
      mappingVerify: (_, { input }, context) => payload('mapping', service.verify(context, input)),
      mappingForget: (_, { input }, context) => payload('mapping', service.forget(context, input)),
    },
    Mapping: {
      __resolveReference: ({ id }, context) => reads.byGlobalId(context, id),
      id: (row) => encodeId('Mapping', row.id),
      project: (row) => ({ id: encodeId('Project', row.projectId) }),
      cmpObject: ({ namespace, cmpType: type, cmpId: externalId }) => ({
        id: encodeCmpObject({ namespace, type, externalId }),
      }),
      backend: (row, _, context) => backends.backend(context, row.backendId),
      key: (row) => row.objectKey,
      desired: (row) => (row.desired === null ? null : withoutHashes(JSON.parse(row.desired))),
      lastVerification: ({ verifiedAt: at, verifyResult: result, verifyDiff: diff }) =>
        at === null || result === null
          ? null
          : { at, result, differences: diff === null ? [] : shownDifferences(diff) },
    },
    Backend: {
      mappings: (row, args, context) => reads.page(context, args, { backendId: row.id }),
    },
    CmpObject: {
      __resolveReference: ({ id }) => (decodeCmpObject(id) === undefined ? null : { id }),
      mappings: ({ id }, args, context) => {
        const cmp = decodeCmpObject(id);
        return cmp === undefined ? null : reads.page(context, args, { cmp });
      },
    },
  };
}

function shownDifferences(text: string): Difference[] {
  const all = JSON.parse(text) as Difference[];
  return all.map(({ path, wanted, found }) => ({ path, wanted: withoutHashes(wanted), found: withoutHashes(found) }));
}
