// The status stream as an entity's subscription: the events of one subject type in the projects that the caller may see, each
// with the subject's current state. A domain adds how its subject is read.
import { projectsFor } from '../authorise.ts';
import type { RequestContext } from '../identity.ts';
import { pullStream } from '../pull-stream.ts';
import { projectFacets, withFacets } from './facets.ts';
import type { StatusFeed } from './feed.ts';

/** When only unrelated events happen, the cursor advances once in this time. */
const checkpointEveryMs = 5_000;

export interface EntityChange<Entity> {
  readonly cursor: string;
  /** Null: the subject was deleted, or the event only advances the cursor. */
  readonly entity: Entity | null;
}

export interface EntityFeedOptions<Entity> {
  readonly feed: StatusFeed;
  readonly context: RequestContext;
  /** The type's name in the graph, for example `Backend`; or several. */
  readonly subjectType: string | readonly string[];
  readonly args: { readonly after?: string | null | undefined; readonly projectId?: string | null | undefined };
  /** By UUID, and the type that it is of. */
  readonly read: (id: string, subjectType: string) => Promise<Entity | null | undefined>;
  /** Which entities are requested. Default: all. */
  readonly wanted?: (entity: Entity) => boolean;
  /** The argument values that select an entity, besides its project. */
  readonly facets?: (entity: Entity) => readonly string[];
}

export function entityFeed<Entity>(
  options: EntityFeedOptions<Entity>,
): AsyncGenerator<EntityChange<Entity>, void, void> {
  const { feed, context, subjectType, args, read, wanted = () => true, facets = () => [] } = options;
  const projects = projectsFor(context.identity, args.projectId);
  const source = feed.subscribe({
    after: args.after ?? null,
    filter: { projects, subjectTypes: [subjectType].flat() },
  });
  let toldAtMs = performance.now();
  return pullStream({
    async next() {
      for (;;) {
        const item = await source.next();
        if (item.done === true) return undefined;
        const { cursor, event } = item.value;
        const entity = event === null ? null : ((await read(event.subjectId, event.subjectType)) ?? null);
        const other = entity !== null && !wanted(entity);
        if (other && performance.now() - toldAtMs < checkpointEveryMs) continue;
        toldAtMs = performance.now();
        if (event === null || other) return withFacets({ cursor, entity: null }, null);
        return withFacets({ cursor, entity }, [
          ...projectFacets(event.projectId),
          ...(entity === null ? [] : facets(entity)),
        ]);
      }
    },
    end: () => void source.return(),
  });
}
