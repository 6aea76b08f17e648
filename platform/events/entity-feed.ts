// The status stream as an entity's subscription: the events of one subject type in the projects that the caller may see, each
// with the subject's current state. A domain adds how its subject is read.
import { projectsFor } from '../edge/authorise.ts';
import type { RequestContext } from '../edge/identity.ts';
import { encodeId } from '../values/ids.ts';
import { pullStream } from '../work/pull-stream.ts';
import { projectFacets, withFacets } from './facets.ts';
import type { StatusFeed } from './feed.ts';

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
  /** Loads the entity by its UUID and type. */
  readonly read: (id: string, subjectType: string) => Promise<Entity | null | undefined>;
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
  let toldAtMs = performance.now();
  /** The creation of an entity may have several events. */
  let created: string | undefined;
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
    end: () => void source.return(),
  });
}

/** The item as the graph shows it; `name` is the field of its entity. */
export function feedItem<Name extends string, Entity>(
  name: Name,
  { cursor, kind, subjectId, entity }: EntityChange<Entity>,
): Omit<EntityChange<Entity>, 'entity'> & { readonly [Field in Name]: Entity | null } {
  return { cursor, kind, subjectId, ...({ [name]: entity } as { readonly [Field in Name]: Entity | null }) };
}
