// Resolvers of hosts.
import type { Resolvers } from '../../../generated/graph/loadbalancer.ts';
import { encodeId } from '../../../platform/ids.ts';
import { payload } from '../../../platform/mutation.ts';
import type { HostReads } from './host-reads.ts';
import type { HostService } from './host-service.ts';

export function hostResolvers({
  reads,
  service,
}: {
  readonly reads: HostReads;
  readonly service: HostService;
}): Resolvers {
  return {
    Query: {
      loadBalancerHost: (_, { id }, context) => reads.byGlobalId(context, id),
      loadBalancerHosts: (_, args, context) => reads.page(context, args),
    },
    Mutation: {
      loadBalancerHostCordon: (_, { input }, context) => payload('loadBalancerHost', service.cordon(context, input)),
      loadBalancerHostDelete: (_, { input }, context) => payload('loadBalancerHost', service.remove(context, input)),
    },
    LoadBalancerHost: {
      __resolveReference: ({ id }, context) => reads.byGlobalId(context, id),
      id: ({ id }) => encodeId('LoadBalancerHost', id),
      nodeCount: ({ id }, _, context) => reads.nodeCount(context, id),
      nodes: ({ id }, args) => reads.nodes(id, args),
    },
    LoadBalancerNode: {
      host: ({ hostId }, _, context) => (hostId === null ? null : reads.host(context, hostId)),
    },
  };
}
