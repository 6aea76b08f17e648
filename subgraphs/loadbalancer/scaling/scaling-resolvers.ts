// Resolvers of autoscaling.
import type { LoadBalancerResolvers, Resolvers } from '../../../generated/graph/loadbalancer.ts';
import type { RequestContext } from '../../../platform/identity.ts';
import { decodeUuid, encodeId } from '../../../platform/ids.ts';
import { payload } from '../../../platform/mutation.ts';
import type { BalancerRow } from '../stores/balancer-store.ts';
import type { ScalingReads } from './scaling-reads.ts';
import type { ScalingService } from './scaling-service.ts';

export interface ScalingResolverParts {
  readonly reads: ScalingReads;
  readonly service: ScalingService;
  /** By UUID; null: the caller may not see it. */
  readonly balancer: (context: RequestContext, id: string) => Promise<BalancerRow | null>;
}

export function scalingResolvers({ reads, service, balancer }: ScalingResolverParts): Resolvers {
  return {
    Mutation: {
      autoscalingPolicySet: (_, { input }, context) => payload('loadBalancer', service.set(context, input)),
    },
    LoadBalancer: {
      autoscaling: (row, _, context) => reads.policy(context, row.id),
      scalingDecisions: (row, args) => reads.decisions(row.id, args),
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
    },
  };
}
