// Resolvers of the fields that call a backend: the relaying mutations, settling and reads.

import type { Resolvers } from '../../../../generated/graph/relay.ts';
import type { RequestContext } from '../../../../platform/caller/identity.ts';
import { payload } from '../../../../platform/edge/mutation.ts';
import { typedMutations } from '../../spec/families.ts';
import type { MappingReads } from '../mappings/mapping-reads.ts';
import type { CallResult } from '../model/operation.ts';
import type { CallRequest } from './call-request.ts';
import type { CallService } from './call-service.ts';
import type { ReadService } from './read-service.ts';
import type { SettleService } from './settle-service.ts';
import { mappingObjectDelete, relayCall, type SelectedInput, typedCall } from './typed-calls.ts';

export function callResolvers(dependencies: {
  readonly calls: CallService;
  readonly settling: SettleService;
  readonly reads: ReadService;
  readonly mappings: MappingReads;
}): Resolvers {
  const { calls, settling, reads, mappings } = dependencies;
  const typed =
    (request: (input: SelectedInput) => CallRequest) =>
    (_: unknown, { input }: { readonly input: SelectedInput }, context: RequestContext): Promise<CallResult> =>
      calls.call(context, request(input));
  return {
    Query: {
      relayRead: (_, { input }, context) => reads.read(context, input),
    },
    Mutation: {
      relayCall: (_, { input }, context) => calls.call(context, relayCall(input)),
      mappingObjectDelete: (_, { input }, context) => calls.call(context, mappingObjectDelete(input)),
      relayOperationSettle: (_, { input }, context) => payload('operation', settling.settle(context, input)),
      ...Object.fromEntries(typedMutations.map((mutation) => [mutation.name, typed(typedCall(mutation))])),
    },
    RelayPayload: {
      mapping: async ({ operation }, _, context) =>
        operation === null ? null : ((await mappings.ofOperation(context, operation.id))[0] ?? null),
    },
  };
}
