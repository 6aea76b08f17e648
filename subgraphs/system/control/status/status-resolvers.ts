// Resolvers of status changes: the stream, its newest cursor and the history.
import type { Resolvers } from '../../../../generated/graph/system.ts';
import type { Sql } from '../../../../platform/database/database.ts';
import { payload } from '../../../../platform/edge/mutation.ts';
import { facet, projectFacets, withFacets } from '../../../../platform/events/facets.ts';
import type { FeedItem, SequencedEvent, StatusFeed } from '../../../../platform/events/feed.ts';
import { historySearch, readEvents } from '../../../../platform/events/history.ts';
import type { EventKinds } from '../../../../platform/events/kinds.ts';
import { caller } from '../../../../platform/input/authorise.ts';
import { encodeCmpObject } from '../../../../platform/pages/cmp-object.ts';
import { pageOfRanges } from '../../../../platform/pages/entity-list.ts';
import type { OutsideNodes } from '../../../../platform/process/subgraph-row.ts';
import { encodeId } from '../../../../platform/values/ids.ts';
import { mapStream } from '../../../../platform/work/pull-stream.ts';
import type { Entities } from '../entities.ts';
import { nodeByKey } from '../nodes/node.ts';
import { eventFilter } from './event-filter.ts';
import type { OutsideEvents } from './outside-events.ts';

export function statusResolvers(options: {
  db: Sql;
  feed: StatusFeed;
  entities: Entities;
  kinds: EventKinds;
  outsideNodes: OutsideNodes;
  outsideEvents: OutsideEvents;
}): Resolvers {
  const { db, feed, entities, outsideEvents } = options;
  const known = { declared: options.kinds, outside: options.outsideNodes };
  return {
    Query: {
      async statusCursor(_, _args, context) {
        caller(context);
        return feed.currentCursor();
      },
      async statusHistory(_, args, context) {
        const filter = eventFilter(caller(context), args, known);
        return pageOfRanges(db, await historySearch(db, filter), args, (seqs) => readEvents(db, seqs));
      },
    },
    Mutation: {
      statusEventsAdd: (_, { input }, context) => payload('addedCount', outsideEvents.add(context, input)),
    },
    Subscription: {
      statusChanges: {
        subscribe(_, args, context) {
          const filter = eventFilter(caller(context), args, known);
          const items = feed.subscribe({ after: args.after ?? null, filter });
          return mapStream(items, (item) => withFacets(item, item.event === null ? null : facetsOfChange(item.event)));
        },
        resolve: ({ cursor, event }: FeedItem) => ({
          cursor,
          kind: event === null ? ('CHECKPOINT' as const) : ('CREATED' as const),
          subjectId: event === null ? null : encodeId(event.subjectType, event.subjectId),
          change: event,
        }),
      },
    },
    StatusChange: {
      project: async ({ projectId }, _, context) =>
        projectId === null ? null : ((await entities.project(context, projectId)) ?? null),
      changedAt: ({ at }) => at,
      subjectId: ({ subjectType, subjectId }) => encodeId(subjectType, subjectId),
      subject: ({ subjectType, subjectId }, _, context) => nodeByKey(entities, context, subjectType, subjectId),
      cmpObject: ({ cmpObject }) => (cmpObject === null ? null : { id: encodeCmpObject(cmpObject), ...cmpObject }),
    },
  };
}

/** The values of the subscription's arguments that select a change. */
function facetsOfChange(event: SequencedEvent): readonly string[] {
  const { projectId, kind, subjectType, subjectId, cmpObject } = event;
  return [
    ...projectFacets(projectId),
    facet('kinds', kind),
    facet('subjectTypes', subjectType),
    facet('subjectId', encodeId(subjectType, subjectId)),
    ...(cmpObject === null ? [] : [facet('cmpObject', cmpObject)]),
  ];
}
