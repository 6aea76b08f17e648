// Resolvers of traffic: the same field on load balancers, listeners, members and nodes.
import type { Resolvers } from '../../../../generated/graph/loadbalancer.ts';
import type { TrafficReads } from './traffic-reads.ts';

export function trafficResolvers(reads: TrafficReads): Resolvers {
  return {
    LoadBalancer: {
      traffic: ({ id }, args, context) => reads.series(context, { id, balancerId: id }, args),
      stats: ({ id }, _, context) => reads.total(context, { id, balancerId: id }),
    },
    Listener: {
      traffic: ({ id, loadBalancerId: balancerId }, args, context) => reads.series(context, { id, balancerId }, args),
      stats: ({ id, loadBalancerId: balancerId }, _, context) => reads.total(context, { id, balancerId }),
    },
    PoolMember: {
      sessions: ({ id, loadBalancerId: balancerId, drainUntil }, _, context) =>
        drainUntil === null ? null : reads.openSessions(context, { id, balancerId }),
      traffic: ({ id, loadBalancerId: balancerId }, args, context) => reads.series(context, { id, balancerId }, args),
    },
    LoadBalancerNode: {
      traffic: ({ id, loadBalancerId: balancerId }, args, context) => reads.series(context, { id, balancerId }, args),
    },
  };
}
