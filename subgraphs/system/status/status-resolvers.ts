// Resolvers of status changes: the stream, its newest cursor and the history.
import type { Resolvers } from '../../../generated/graph/system.ts';
import { caller } from '../../../platform/authorise.ts';
import type { Sql } from '../../../platform/database/database.ts';
import { CodedError } from '../../../platform/errors.ts';
import { facet, projectFacets, withFacets } from '../../../platform/events/facets.ts';
import type { FeedItem, SequencedEvent, StatusFeed } from '../../../platform/events/feed.ts';
import { readHistory } from '../../../platform/events/history.ts';
import type { EventKinds } from '../../../platform/events/kinds.ts';
import { page, pageRequest } from '../../../platform/graph/connection.ts';
import { encodeId } from '../../../platform/ids.ts';
import { mapStream } from '../../../platform/pull-stream.ts';
import type { Entities } from '../entities.ts';
import { nodeByKey } from '../nodes/node.ts';
import { eventFilter } from './event-filter.ts';

export function statusResolvers(options: {
  db: Sql;
  feed: StatusFeed;
  entities: Entities;
  kinds: EventKinds;
}): Resolvers {
  const { db, feed, entities, kinds } = options;
  return {
    Query: {
      async statusCursor(_, _args, context) {
        caller(context);
        return feed.currentCursor();
      },
      async statusHistory(_, args, context) {
        const filter = eventFilter(caller(context), args, kinds);
        const request = pageRequest(args);
        const beforeSeq = request.after === undefined ? undefined : seqOf(request.after[0]);
        const before = beforeSeq === undefined ? {} : { beforeSeq };
        const events = await readHistory(db, filter, { ...before, limit: request.take });
        return page(events, request.first, (event) => [String(event.seq)]);
      },
    },
    Subscription: {
      statusChanges: {
        subscribe(_, args, context) {
          const filter = eventFilter(caller(context), args, kinds);
          const items = feed.subscribe({ after: args.after ?? null, filter });
          return mapStream(items, (item) => withFacets(item, item.event === null ? null : facetsOfChange(item.event)));
        },
        resolve: ({ cursor, event }: FeedItem) => ({ cursor, change: event }),
      },
    },
    StatusChange: {
      project: async ({ projectId }, _, context) =>
        projectId === null ? null : ((await entities.project(context, projectId)) ?? null),
      subjectId: ({ subjectType, subjectId }) => encodeId(subjectType, subjectId),
      subject: ({ subjectType, subjectId }, _, context) => nodeByKey(entities, context, subjectType, subjectId),
    },
  };
}

/** The values of the subscription's arguments that select a change. */
function facetsOfChange({ projectId, kind, subjectType, subjectId }: SequencedEvent): readonly string[] {
  return [
    ...projectFacets(projectId),
    facet('kinds', kind),
    facet('subjectTypes', subjectType),
    facet('subjectId', encodeId(subjectType, subjectId)),
  ];
}

function seqOf(text: string | undefined): number {
  const seq = Number(text);
  if (!Number.isSafeInteger(seq))
    throw new CodedError('INVALID_INPUT', 'after: this is not an endCursor of statusHistory.');
  return seq;
}
