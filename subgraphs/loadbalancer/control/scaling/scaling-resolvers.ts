// Resolvers of autoscaling.
import type { LoadBalancerResolvers, Resolvers } from '../../../../generated/graph/loadbalancer.ts';
import type { RequestContext } from '../../../../platform/caller/identity.ts';
import { deletePayload, payload } from '../../../../platform/edge/mutation.ts';
import { decodeUuid, encodeId } from '../../../../platform/values/ids.ts';
import type { BalancerRow, NodeRow } from '../../rules/rows.ts';
import type { ScalingReads } from './scaling-reads.ts';
import type { ScalingService } from './scaling-service.ts';

interface ScalingResolverDependencies {
  readonly reads: ScalingReads;
  readonly service: ScalingService;
  /** By UUID. Null if the caller may not see it. */
  readonly balancer: (context: RequestContext, id: string) => Promise<BalancerRow | null>;
  /** By UUID. Null if its row is gone. */
  readonly node: (context: RequestContext, id: string) => Promise<NodeRow | null>;
}

export function scalingResolvers({ reads, service, balancer, node }: ScalingResolverDependencies): Resolvers {
  return {
    Mutation: {
      autoscalingPolicySet: (_, { input }, context) => payload('loadBalancer', service.set(context, input)),
      autoscalingPolicyDelete: (_, { input }, context) => {
        const uuid = decodeUuid('LoadBalancer', input.loadBalancerId);
        const deletedId = uuid === undefined ? '' : encodeId('AutoscalingPolicy', uuid);
        return deletePayload('loadBalancer', deletedId, service.delete(context, input));
      },
    },
    LoadBalancer: {
      autoscaling: (row, _, context) => reads.policy(context, row.id),
      scalingDecisions: (row, args, context) => reads.decisions(context, row.id, args),
    } as LoadBalancerResolvers,
    AutoscalingPolicy: {
      __resolveReference: async ({ id }, context) => {
        const uuid = decodeUuid('AutoscalingPolicy', id);
        const row = uuid === undefined ? null : await balancer(context, uuid);
        return row === null ? null : reads.policy(context, row.id);
      },
      id: ({ loadBalancerId }) => encodeId('AutoscalingPolicy', loadBalancerId),
      loadBalancer: async ({ loadBalancerId }, _, context) => {
        const row = await balancer(context, loadBalancerId);
        if (row === null) throw new Error(`the load balancer ${loadBalancerId} of a policy is missing`);
        return row;
      },
      schedule: ({ schedule }) => schedule.map((window) => ({ ...window, days: [...window.days] })),
    },
    ScalingDecision: {
      id: ({ id }) => encodeId('ScalingDecision', id),
      recommendedNodes: ({ recommended }) => recommended,
      figures: ({ figures }) => [...figures],
    },
    ScalingDecisionFigure: {
      node: ({ nodeId }, _, context) => (nodeId === null ? null : node(context, nodeId)),
      nodeName: (figure) => figure.node,
      loadPercent: ({ percent }) => percent,
      measuredAt: ({ at }) => (at === null ? null : new Date(at)),
      warmingUp: ({ warming }) => warming,
    },
  };
}
