// What an item of a feed says of itself: which values of the field's arguments choose it. By it a gateway follows a feed once
// for readers with different arguments, and knows for whom each item is, without knowing anything of the domain.
import { encodeId } from '../ids.ts';

/** `argument=value` of each argument that can choose the item; null: it is for every reader (a checkpoint). */
export type Facets = readonly string[] | null;

const facetsKey = Symbol('facets');

/** The text of one facet. */
export function facet(argument: string, value: string): string {
  return `${argument}=${value}`;
}

/** The facets of what belongs to a project (UUID). */
export function projectFacets(projectId: string | null): readonly string[] {
  return projectId === null ? [] : [facet('projectId', encodeId('Project', projectId))];
}

/** Marks what a subscription's resolver yields. */
export function withFacets<Item extends object>(item: Item, facets: Facets): Item {
  return Object.assign(item, { [facetsKey]: facets });
}

/** Undefined: the item has not been marked. */
export function facetsOf(item: unknown): Facets | undefined {
  return typeof item === 'object' && item !== null ? (item as { [facetsKey]?: Facets })[facetsKey] : undefined;
}

/** Marks an item as another is marked, of which it was made. */
export function asMarked<Item extends object>(from: object, item: Item): Item {
  const facets = facetsOf(from);
  return facets === undefined ? item : withFacets(item, facets);
}
