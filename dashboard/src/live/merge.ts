// Merging by version: it determines which copy is newer, in any order of arrival.
import type { Entities, Entity } from './entity-kind.ts';

interface MergeRule<Kind extends Entity> {
  /** Also takes the same version: for observed values, which do not increment it. */
  readonly takesSameVersion?: boolean;
  /** Such an entity is removed from the lists. */
  readonly isGone?: (entity: Kind) => boolean;
}

/** Takes entities that are not older than the known ones; the newest is last. */
export function mergeVersions<Kind extends Entity>(
  known: Entities<Kind>,
  news: readonly Kind[],
  { takesSameVersion = false, isGone = () => false }: MergeRule<Kind> = {},
): Entities<Kind> {
  if (news.length === 0) return known;
  const merged = new Map(known);
  for (const entity of news) {
    const old = merged.get(entity.id);
    if (old !== undefined && (takesSameVersion ? old.version > entity.version : old.version >= entity.version))
      continue;
    // If nothing changed, it keeps its identity, so that its row is not rendered again.
    if (!isGone(entity) && sameContent(old, entity)) continue;
    merged.delete(entity.id);
    if (!isGone(entity)) merged.set(entity.id, entity);
  }
  return merged;
}

function sameContent(old: Entity | undefined, entity: Entity): boolean {
  return old !== undefined && JSON.stringify(old) === JSON.stringify(entity);
}
