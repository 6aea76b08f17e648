// Resolvers of operations, and the fields that the journal adds to backends, mappings and CMP objects.
import type { RelayOperationSource, Resolvers } from '../../../../generated/graph/relay.ts';
import { actorOf } from '../../../../platform/graph/actor.ts';
import { cmpObjectLink, decodeCmpObject } from '../../../../platform/pages/cmp-object.ts';
import { encodeId } from '../../../../platform/values/ids.ts';
import type { BackendReads } from '../backends/backend-reads.ts';
import type { MappingReads } from '../mappings/mapping-reads.ts';
import type { OperationReads } from './operation-reads.ts';

export function operationResolvers(dependencies: {
  readonly reads: OperationReads;
  readonly backends: BackendReads;
  readonly mappings: MappingReads;
}): Resolvers {
  const { reads, backends, mappings } = dependencies;
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
      cmpObject: cmpObjectLink,
      // A call that waits may go elsewhere yet.
      sentTo: (row) => (row.sentAt === null ? null : row.sentTo),
      arguments: (row) => JSON.parse(row.arguments),
      result: (row) => (row.result === null ? null : JSON.parse(row.result)),
      deviceError: (row) => (row.errorCode === null ? null : { code: row.errorCode, message: row.errorMessage ?? '' }),
      evidence: (row, _, context) => reads.evidence(context, row.id),
      changedMappings: (row, _, context) => mappings.ofOperation(context, row.id),
      reason: (row) => (row.errorCode === null ? null : (row.errorMessage ?? '')),
      startedAt: (row) => row.sentAt,
      progressPercent: () => null,
      stateSource: ({ settledBy }) => (settledBy === null ? null : sourceOf(settledBy)),
      settledBy: ({ settlerKind, settlerId, settlerName }) =>
        settlerKind === null ? null : actorOf({ kind: settlerKind, id: settlerId, name: settlerName ?? '' }),
      requestedBy: ({ actorKind, actorId, requestedBy: name }) =>
        actorOf({ kind: actorKind ?? 'anonymous', id: actorId, name }),
    },
    RelayOperationEvidence: {
      recordedAt: ({ at }) => at,
      source: ({ source }) => sourceOf(source),
    },
    Mapping: {
      operation: (row, _, context) => (row.operationId === null ? null : reads.operation(context, row.operationId)),
    },
    Backend: {
      operations: (row, args, context) => reads.ofBackend(context, row.id, args),
    },
    CmpObject: {
      relayOperations: ({ id }, args, context) => {
        const cmp = decodeCmpObject(id);
        return cmp === undefined ? null : reads.ofCmpObject(context, cmp, args);
      },
    },
  };
}

/** The journal's words, for example not-sent. */
function sourceOf(word: string): RelayOperationSource {
  return word.toUpperCase().replaceAll('-', '_') as RelayOperationSource;
}
