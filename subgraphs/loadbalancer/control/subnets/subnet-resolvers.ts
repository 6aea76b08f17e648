// Resolvers of the projects' subnets.
import type { Resolvers } from '../../../../generated/graph/loadbalancer.ts';
import { deletePayload, payload } from '../../../../platform/edge/mutation.ts';
import { encodeId } from '../../../../platform/values/ids.ts';
import type { SubnetReads } from './subnet-reads.ts';
import type { SubnetService } from './subnet-service.ts';

export function subnetResolvers({
  reads,
  service,
}: {
  readonly reads: SubnetReads;
  readonly service: SubnetService;
}): Resolvers {
  return {
    Query: {
      projectSubnet: (_, { id }, context) => reads.byGlobalId(context, id),
      projectSubnets: (_, args, context) => reads.page(context, args),
    },
    Mutation: {
      projectSubnetCreate: (_, { input }, context) => payload('projectSubnet', service.create(context, input)),
      projectSubnetUpdate: (_, { input }, context) => payload('projectSubnet', service.update(context, input)),
      projectSubnetDelete: (_, { input }, context) =>
        deletePayload('projectSubnet', input.id, service.delete(context, input)),
    },
    ProjectSubnet: {
      __resolveReference: ({ id }, context) => reads.byGlobalId(context, id),
      id: ({ id }) => encodeId('ProjectSubnet', id),
      project: ({ projectId }) => ({ id: encodeId('Project', projectId) }),
      // A subnet is created on a host with its first node: there is nothing to wait for.
      provisioningStatus: ({ deleted }) => (deleted ? 'DELETED' : 'ACTIVE'),
    },
  };
}
