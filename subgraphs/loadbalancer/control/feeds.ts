// The load balancers' subscriptions: changes of load balancers and of nodes.
import type { Resolvers } from '../../../generated/graph/loadbalancer.ts';
import type { Database } from '../../../platform/database/database.ts';
import { entityFeed, feedItem } from '../../../platform/events/entity-feed.ts';
import { asMarked, facet } from '../../../platform/events/facets.ts';
import type { StatusFeed } from '../../../platform/events/feed.ts';
import { decodeUuid, encodeId } from '../../../platform/values/ids.ts';
import { mapStream } from '../../../platform/work/pull-stream.ts';
import { readNodes } from './nodes/node-store.ts';
import { readBalancers } from './stores/balancer-store.ts';

export function feedResolvers({ db, feed }: { readonly db: Database; readonly feed: StatusFeed }): Resolvers {
  return {
    Subscription: {
      loadBalancerChanges: {
        subscribe: (_, args, context) => {
          const changes = entityFeed({
            ...{ feed, context, args, subjectType: 'LoadBalancer' },
            read: (ids) => readBalancers(db, ids),
            deleted: ({ provisioningStatus }) => provisioningStatus === 'DELETED',
          });
          return mapStream(changes, (item) => asMarked(item, { loadBalancerChanges: feedItem('loadBalancer', item) }));
        },
      },
      loadBalancerNodeChanges: {
        subscribe: (_, args, context) => {
          const { loadBalancerId } = args;
          const balancerId = loadBalancerId == null ? null : (decodeUuid('LoadBalancer', loadBalancerId) ?? 'none');
          const changes = entityFeed({
            ...{ feed, context, args, subjectType: 'LoadBalancerNode' },
            read: (ids) => readNodes(db, ids),
            deleted: ({ state }) => state === 'DELETED',
            wanted: (node) => balancerId === null || node.loadBalancerId === balancerId,
            facets: (node) => [facet('loadBalancerId', encodeId('LoadBalancer', node.loadBalancerId))],
          });
          return mapStream(changes, (item) =>
            asMarked(item, { loadBalancerNodeChanges: feedItem('loadBalancerNode', item) }),
          );
        },
      },
    },
  };
}
