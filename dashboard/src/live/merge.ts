// What merging has in common: versions settle which copy is newer, whatever order they come in.
import type { Entities, Entity } from './entity-kind.ts';

export interface MergeRule<Kind extends Entity> {
  /** The same version is taken too: for what is observed, and does not raise it. */
  readonly takesSameVersion?: boolean;
  /** Such an entity leaves the lists. */
  readonly isGone?: (entity: Kind) => boolean;
}

/** Takes what is not older than what is known; the newest word comes last. */
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
    // Read again without news, it keeps its identity, so that its row is not drawn again.
    if (!isGone(entity) && sameContent(old, entity)) continue;
    merged.delete(entity.id);
    if (!isGone(entity)) merged.set(entity.id, entity);
  }
  return merged;
}

function sameContent(old: Entity | undefined, entity: Entity): boolean {
  return old !== undefined && JSON.stringify(old) === JSON.stringify(entity);
}
