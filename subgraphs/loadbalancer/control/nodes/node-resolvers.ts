// Resolvers of nodes. Their load balancer and host have their own resolvers.
import type { LoadBalancerNodeStep, Resolvers } from '../../../../generated/graph/loadbalancer.ts';
import { payload } from '../../../../platform/edge/mutation.ts';
import { encodeId } from '../../../../platform/values/ids.ts';
import type { NodeRow } from '../../rules/rows.ts';
import type { NodeReads } from './node-reads.ts';
import type { NodeService } from './node-service.ts';

interface NodeResolverDependencies {
  readonly reads: NodeReads;
  readonly service: NodeService;
}

export function nodeResolvers({ reads, service }: NodeResolverDependencies): Resolvers {
  return {
    Query: { loadBalancerNode: (_, { id }, context) => reads.byGlobalId(context, id) },
    Mutation: {
      loadBalancerNodesReplace: (_, { input }, context) => payload('loadBalancer', service.failover(context, input)),
      loadBalancerNodeReplace: (_, { input }, context) => payload('loadBalancerNode', service.replace(context, input)),
    },
    LoadBalancerNode: {
      __resolveReference: ({ id }, context) => reads.byGlobalId(context, id),
      id: ({ id }) => encodeId('LoadBalancerNode', id),
      project: ({ projectId }) => ({ id: encodeId('Project', projectId) }),
      nodeState: ({ state }) => state,
      nodeStateReason: ({ reason }) => reason,
      steps: stepsOf,
      replaces: ({ replacesId }, _, context) => (replacesId === null ? null : reads.node(context, replacesId)),
    },
  };
}

function stepsOf({ placedAt, madeAt, configuredAt, checkedAt, inDnsAt }: NodeRow): LoadBalancerNodeStep[] {
  const steps = [
    { name: 'PLACED', doneAt: placedAt },
    { name: 'MADE', doneAt: madeAt },
    { name: 'CONFIGURED', doneAt: configuredAt },
    { name: 'CHECKED', doneAt: checkedAt },
    { name: 'IN_DNS', doneAt: inDnsAt },
  ] as const;
  return steps.flatMap(({ name, doneAt }) => (doneAt === null ? [] : [{ name, doneAt }]));
}
