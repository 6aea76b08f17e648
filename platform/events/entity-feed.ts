// The status stream as an entity's subscription: the events of one subject type in the projects that the caller may see, each
// with the subject's current state. A domain adds how its subject is read.

import type { RequestContext } from '../caller/identity.ts';
import { projectsFor } from '../input/authorise.ts';
import { loader } from '../pages/loader.ts';
import { encodeId } from '../values/ids.ts';
import { pullStream } from '../work/pull-stream.ts';
import { WorkAhead } from '../work/work-ahead.ts';
import { projectFacets, withFacets } from './facets.ts';
import type { FeedItem, StatusFeed } from './feed.ts';

/** When only unrelated events happen, the cursor advances once in this time. */
const checkpointEveryMs = 5_000;

interface EntityChange<Entity> {
  readonly cursor: string;
  readonly kind: 'CHECKPOINT' | 'CREATED' | 'UPDATED' | 'DELETED';
  /** Global id. Null for CHECKPOINT. */
  readonly subjectId: string | null;
  /** Null for DELETED and CHECKPOINT. */
  readonly entity: Entity | null;
}

interface EntityFeedOptions<Entity> {
  readonly feed: StatusFeed;
  readonly context: RequestContext;
  /** The type's name in the graph, for example `Backend`; or several. */
  readonly subjectType: string | readonly string[];
  readonly args: { readonly after?: string | null | undefined; readonly projectId?: string | null | undefined };
  /** Loads entities of a type, by UUID. */
  readonly read: (ids: readonly string[], subjectType: string) => Promise<ReadonlyMap<string, Entity>>;
  /** Which entities are requested. Default: all. */
  readonly wanted?: (entity: Entity) => boolean;
  /** The argument values that select an entity, besides its project. */
  readonly facets?: (entity: Entity) => readonly string[];
  /** Whether a row that is kept stands for a deleted entity. Default: a deleted one has no row. */
  readonly deleted?: (entity: Entity) => boolean;
}

export function entityFeed<Entity>(
  options: EntityFeedOptions<Entity>,
): AsyncGenerator<EntityChange<Entity>, void, void> {
  const { feed, context, subjectType, args, read, wanted = () => true, facets = () => [] } = options;
  const isDeleted = options.deleted ?? (() => false);
  const projects = projectsFor(context.identity, args.projectId);
  const source = feed.subscribe({
    after: args.after ?? null,
    filter: { projects, subjectTypes: [subjectType].flat() },
  });
  const entityOf = readsOfFeed(context, read);
  const items = new WorkAhead({
    source,
    work: async (item: FeedItem) => ({ ...item, entity: await entityOf(item) }),
  });
  let toldAtMs = performance.now();
  /** The creation of an entity may have several events. */
  let created: string | undefined;
  return pullStream({
    async next() {
      for (;;) {
        const item = await items.next();
        if (item === undefined) return undefined;
        const { cursor, event, entity } = item;
        const other = entity !== null && !wanted(entity);
        if (other && performance.now() - toldAtMs < checkpointEveryMs) continue;
        toldAtMs = performance.now();
        if (event === null || other)
          return withFacets({ cursor, kind: 'CHECKPOINT' as const, subjectId: null, entity: null }, null);
        const subjectId = encodeId(event.subjectType, event.subjectId);
        const marks = [...projectFacets(event.projectId), ...(entity === null ? [] : facets(entity))];
        if (entity === null || isDeleted(entity))
          return withFacets({ cursor, kind: 'DELETED' as const, subjectId, entity: null }, marks);
        const isNew = event.subjectVersion === 1 && created !== subjectId;
        if (isNew) created = subjectId;
        return withFacets(
          { cursor, kind: isNew ? ('CREATED' as const) : ('UPDATED' as const), subjectId, entity },
          marks,
        );
      }
    },
    end: () => items.end(),
  });
}

/** Events that came together are read together. */
function readsOfFeed<Entity>(context: RequestContext, read: EntityFeedOptions<Entity>['read']) {
  const ownContext: RequestContext = { ...context, loaders: new Map() };
  const owners = new Map<string, symbol>();
  return async ({ event }: FeedItem): Promise<Entity | null> => {
    if (event === null) return null;
    const { subjectId, subjectType } = event;
    const owner = owners.get(subjectType) ?? Symbol(subjectType);
    owners.set(subjectType, owner);
    return (await loader(ownContext, owner, subjectId, (ids) => read(ids, subjectType))) ?? null;
  };
}

/** The item as the graph shows it; `name` is the field of its entity. */
export function feedItem<Name extends string, Entity>(
  name: Name,
  { cursor, kind, subjectId, entity }: EntityChange<Entity>,
): Omit<EntityChange<Entity>, 'entity'> & { readonly [Field in Name]: Entity | null } {
  return { cursor, kind, subjectId, ...({ [name]: entity } as { readonly [Field in Name]: Entity | null }) };
}
