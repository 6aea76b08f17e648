// Facets of a feed's items: the values of the field's arguments that select an item. With them a gateway follows a feed once for
// readers with different arguments, and knows the readers of each item, without knowing the domain.
import { encodeId } from '../ids.ts';

/** `argument=value` for each argument that can select the item; null: it is for every reader (a checkpoint). */
export type Facets = readonly string[] | null;

const facetsKey = Symbol('facets');

/** The text of one facet. */
export function facet(argument: string, value: string): string {
  return `${argument}=${value}`;
}

/** The facets of an object of a project (UUID). */
export function projectFacets(projectId: string | null): readonly string[] {
  return projectId === null ? [] : [facet('projectId', encodeId('Project', projectId))];
}

/** Marks an item that a subscription's resolver yields. */
export function withFacets<Item extends object>(item: Item, facets: Facets): Item {
  return Object.assign(item, { [facetsKey]: facets });
}

/** Undefined: the item has no facets. */
export function facetsOf(item: unknown): Facets | undefined {
  return typeof item === 'object' && item !== null ? (item as { [facetsKey]?: Facets })[facetsKey] : undefined;
}

/** Gives an item the facets of another, from which it was made. */
export function asMarked<Item extends object>(from: object, item: Item): Item {
  const facets = facetsOf(from);
  return facets === undefined ? item : withFacets(item, facets);
}
