// Resolvers of operations, and the fields that the journal adds to backends, mappings and CMP objects.
import type { Resolvers } from '../../../generated/graph/relay.ts';
import { decodeCmpObject, encodeCmpObject } from '../../../platform/graph/cmp-object.ts';
import { encodeId } from '../../../platform/ids.ts';
import type { BackendReads } from '../backends/backend-reads.ts';
import type { MappingReads } from '../mappings/mapping-reads.ts';
import type { OperationReads } from './operation-reads.ts';

export function operationResolvers(parts: {
  readonly reads: OperationReads;
  readonly backends: BackendReads;
  readonly mappings: MappingReads;
}): Resolvers {
  const { reads, backends, mappings } = parts;
  return {
    Query: {
      relayOperation: (_, { id }, context) => reads.byGlobalId(context, id),
      relayOperations: (_, args, context) => reads.page(context, args),
      relayOperationCounts: (_, args, context) => reads.counts(context, args),
    },
    RelayOperation: {
      __resolveReference: ({ id }, context) => reads.byGlobalId(context, id),
      id: (row) => encodeId('RelayOperation', row.id),
      project: (row) => ({ id: encodeId('Project', row.projectId) }),
      backend: (row, _, context) => backends.backend(context, row.backendId),
      cmpObject: ({ cmpNamespace: namespace, cmpType: type, cmpId: externalId }) =>
        namespace === null || type === null || externalId === null
          ? null
          : { id: encodeCmpObject({ namespace, type, externalId }) },
      // A call that waits may go elsewhere yet.
      sentTo: (row) => (row.sentAt === null ? null : row.sentTo),
      arguments: (row) => JSON.parse(row.arguments),
      result: (row) => (row.result === null ? null : JSON.parse(row.result)),
      deviceError: (row) => (row.errorCode === null ? null : { code: row.errorCode, message: row.errorMessage ?? '' }),
      evidence: (row, _, context) => reads.evidence(context, row.id),
      mappings: (row, _, context) => mappings.ofOperation(context, row.id),
    },
    Mapping: {
      operation: (row, _, context) => (row.operationId === null ? null : reads.operation(context, row.operationId)),
    },
    Backend: {
      operations: (row, args, context) => reads.page(context, args, { backendId: row.id }),
    },
    CmpObject: {
      relayOperations: ({ id }, args, context) => {
        const cmp = decodeCmpObject(id);
        return cmp === undefined ? null : reads.page(context, args, { cmp });
      },
    },
  };
}
