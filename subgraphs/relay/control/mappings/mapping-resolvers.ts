// Resolvers of mappings, and the fields that mappings add to backends and CMP objects.
import type { MappingDifference, Resolvers } from '../../../../generated/graph/relay.ts';
import { deletePayload, payload } from '../../../../platform/edge/mutation.ts';
import { decodeCmpObject, encodeCmpObject } from '../../../../platform/pages/cmp-object.ts';
import { encodeId } from '../../../../platform/values/ids.ts';
import type { Driver } from '../../drivers/driver.ts';
import type { BackendReads } from '../backends/backend-reads.ts';
import { withoutHashes } from '../model/secret-arguments.ts';
import type { MappingChangeFeed } from './change-feed.ts';
import type { Difference } from './differences.ts';
import { cmpObjectOfMapping } from './mapping.ts';
import type { MappingReads } from './mapping-reads.ts';
import type { MappingService } from './mapping-service.ts';
import { shownObject, shownSettings, shownValue } from './shown-object.ts';

export function mappingResolvers(dependencies: {
  readonly reads: MappingReads;
  readonly service: MappingService;
  readonly changes: MappingChangeFeed;
  readonly backends: BackendReads;
  readonly drivers: ReadonlyMap<string, Driver>;
}): Resolvers {
  const { reads, service, changes, backends, drivers } = dependencies;
  return {
    Query: {
      mapping: (_, { id }, context) => reads.byGlobalId(context, id),
      mappings: (_, args, context) => reads.page(context, args),
      relayMappingChanges: (_, args, context) => changes.page(context.identity, args),
    },
    Mutation: {
      mappingAdopt: (_, { input }, context) => payload('mapping', service.adopt(context, input)),
      mappingShare: (_, { input }, context) => payload('mapping', service.share(context, input)),
      mappingUnshare: (_, { input }, context) => payload('mapping', service.unshare(context, input)),
      mappingVerify: (_, { input }, context) => payload('mapping', service.verify(context, input)),
      mappingForget: (_, { input }, context) => deletePayload('mapping', input.id, service.forget(context, input)),
    },
    Mapping: {
      __resolveReference: ({ id }, context) => reads.byGlobalId(context, id),
      id: (row) => encodeId('Mapping', row.id),
      project: (row) => ({ id: encodeId('Project', row.projectId) }),
      cmpObject: (row) => ({ id: encodeCmpObject(cmpObjectOfMapping(row)) }),
      backend: (row, _, context) => backends.backend(context, row.backendId),
      mappingRole: (row) => row.role,
      mappingState: (row) => row.state,
      async object(row, _, context) {
        const backend = await backends.backend(context, row.backendId);
        return backend === null ? null : shownObject(drivers.get(backend.driver), row);
      },
      wantedSettings: (row) => shownSettings(row),
      lastVerification: ({ verifiedAt, verifyResult: result, verifyDiff: diff }) =>
        verifiedAt === null || result === null
          ? null
          : { verifiedAt, result, differences: diff === null ? [] : shownDifferences(diff) },
    },
    Backend: {
      mappings: (row, args, context) => reads.ofBackend(context, row.id, args),
    },
    CmpObject: {
      __resolveReference: ({ id }) => (decodeCmpObject(id) === undefined ? null : { id }),
      mappings: ({ id }, args, context) => {
        const cmp = decodeCmpObject(id);
        return cmp === undefined ? null : reads.ofCmpObject(context, cmp, args);
      },
    },
  };
}

function shownDifferences(text: string): MappingDifference[] {
  const all = JSON.parse(text) as Difference[];
  return all.map(({ path, wanted, found }) => ({
    path,
    wanted: shownValue(withoutHashes(wanted)),
    found: shownValue(withoutHashes(found)),
  }));
}
