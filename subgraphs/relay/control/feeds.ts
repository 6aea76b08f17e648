// The relay's subscriptions: changes of operations and of backends.
import type { Resolvers } from '../../../generated/graph/relay.ts';
import type { Database } from '../../../platform/database/database.ts';
import { entityFeed, feedItem } from '../../../platform/events/entity-feed.ts';
import { asMarked, facet } from '../../../platform/events/facets.ts';
import type { StatusFeed } from '../../../platform/events/feed.ts';
import { decodeUuid, encodeId } from '../../../platform/values/ids.ts';
import { mapStream } from '../../../platform/work/pull-stream.ts';
import { readBackends } from './backends/backend-store.ts';
import { readOperations } from './journal/operation-store.ts';

export function feedResolvers({ db, feed }: { readonly db: Database; readonly feed: StatusFeed }): Resolvers {
  return {
    Subscription: {
      relayOperationChanges: {
        subscribe: (_, args, context) => {
          const backendId = args.backendId == null ? null : (decodeUuid('Backend', args.backendId) ?? 'none');
          const changes = entityFeed({
            ...{ feed, context, args, subjectType: 'RelayOperation' },
            read: (ids) => readOperations(db, ids),
            wanted: (operation) => backendId === null || operation.backendId === backendId,
            facets: (operation) => [facet('backendId', encodeId('Backend', operation.backendId))],
          });
          return mapStream(changes, (item) => asMarked(item, { relayOperationChanges: feedItem('operation', item) }));
        },
      },
      backendChanges: {
        subscribe: (_, args, context) => {
          const changes = entityFeed({
            ...{ feed, context, args, subjectType: 'Backend' },
            read: (ids) => readBackends(db, ids),
            deleted: ({ provisioningStatus }) => provisioningStatus === 'DELETED',
          });
          return mapStream(changes, (item) => asMarked(item, { backendChanges: feedItem('backend', item) }));
        },
      },
    },
  };
}
