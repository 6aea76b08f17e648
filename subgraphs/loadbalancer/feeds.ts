// The load balancers' subscriptions: changes of load balancers and of nodes.
import type { Resolvers } from '../../generated/graph/loadbalancer.ts';
import type { Database } from '../../platform/database/database.ts';
import { entityFeed } from '../../platform/events/entity-feed.ts';
import { asMarked, facet } from '../../platform/events/facets.ts';
import type { StatusFeed } from '../../platform/events/feed.ts';
import { decodeUuid, encodeId } from '../../platform/ids.ts';
import { mapStream } from '../../platform/pull-stream.ts';
import { readBalancer } from './stores/balancer-store.ts';
import { readNodes } from './stores/node-store.ts';

export function feedResolvers({ db, feed }: { readonly db: Database; readonly feed: StatusFeed }): Resolvers {
  return {
    Subscription: {
      loadBalancerChanges: {
        subscribe: (_, args, context) => {
          const changes = entityFeed({
            ...{ feed, context, args, subjectType: 'LoadBalancer' },
            read: (id) => readBalancer(db, id),
          });
          return mapStream(changes, (item) =>
            asMarked(item, { loadBalancerChanges: { cursor: item.cursor, loadBalancer: item.entity } }),
          );
        },
      },
      loadBalancerNodeChanges: {
        subscribe: (_, args, context) => {
          const { loadBalancerId } = args;
          const balancerId = loadBalancerId == null ? null : (decodeUuid('LoadBalancer', loadBalancerId) ?? 'none');
          const changes = entityFeed({
            ...{ feed, context, args, subjectType: 'LoadBalancerNode' },
            read: async (id) => (await readNodes(db, [id])).get(id),
            wanted: (node) => balancerId === null || node.loadBalancerId === balancerId,
            facets: (node) => [facet('loadBalancerId', encodeId('LoadBalancer', node.loadBalancerId))],
          });
          return mapStream(changes, (item) =>
            asMarked(item, { loadBalancerNodeChanges: { cursor: item.cursor, loadBalancerNode: item.entity } }),
          );
        },
      },
    },
  };
}
