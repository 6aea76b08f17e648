// Resolvers of hosts.
import type { Resolvers } from '../../../../generated/graph/loadbalancer.ts';
import { deletePayload, payload } from '../../../../platform/edge/mutation.ts';
import { encodeId } from '../../../../platform/values/ids.ts';
import { grantOf, whyNoNodes } from '../../rules/host-grant.ts';
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
      loadBalancerHostCordonSet: (_, { input }, context) =>
        payload('loadBalancerHost', service.setCordon(context, input)),
      loadBalancerHostCordonLift: (_, { input }, context) =>
        payload('loadBalancerHost', service.liftCordon(context, input)),
      loadBalancerHostUpdate: (_, { input }, context) => payload('loadBalancerHost', service.update(context, input)),
      loadBalancerHostDelete: (_, { input }, context) =>
        deletePayload('loadBalancerHost', input.id, service.remove(context, input)),
    },
    LoadBalancerHost: {
      __resolveReference: ({ id }, context) => reads.byGlobalId(context, id),
      id: ({ id }) => encodeId('LoadBalancerHost', id),
      site: ({ record }) => record?.site ?? null,
      provider: ({ claim }) => claim.provider,
      publicRange: (host) => grantOf(host)?.publicRange ?? null,
      managementRange: (host) => grantOf(host)?.managementRange ?? null,
      maxNodes: (host) => grantOf(host)?.maxNodes ?? 0,
      noNodesReason: (host) => whyNoNodes(host),
      reported: ({ claim }) => claim,
      nodeCount: ({ id }, _, context) => reads.nodeCount(context, id),
      placedNodes: ({ id }, args, context) => reads.nodes(context, id, args),
    },
    LoadBalancerNode: {
      loadBalancerHost: ({ hostId }, _, context) => (hostId === null ? null : reads.host(context, hostId)),
    },
  };
}
