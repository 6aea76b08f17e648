// Facets of a feed's items: the values of the field's arguments that select an item. With them a gateway follows a feed once for
// readers with different arguments, and knows the readers of each item, without knowing the domain.
import { encodeId } from '../values/ids.ts';

/** `argument=value` for each argument that can select the item. Null for an item that goes to every reader (a checkpoint). */
export type Facets = readonly string[] | null;

const facetsKey = Symbol('facets');

/** Makes a facet from an argument and its value, which is an object if the argument is an input object. */
export function facet(argument: string, value: string | object): string {
  return `${argument}=${facetText(value)}`;
}

/** An argument's value as text. An object has the same text in any order of its fields, and with or without those that are null. */
export function facetText(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value);
  const given = Object.entries(value).filter(([, field]) => field != null);
  return JSON.stringify(given.sort(([one], [other]) => (one < other ? -1 : 1)));
}

/** The facets of an object of a project (UUID). */
export function projectFacets(projectId: string | null): readonly string[] {
  return projectId === null ? [] : [facet('projectId', encodeId('Project', projectId))];
}

/** Marks an item that a subscription's resolver yields. */
export function withFacets<Item extends object>(item: Item, facets: Facets): Item {
  return Object.assign(item, { [facetsKey]: facets });
}

/** Undefined if the item has no facets. */
export function facetsOf(item: unknown): Facets | undefined {
  return typeof item === 'object' && item !== null ? (item as { [facetsKey]?: Facets })[facetsKey] : undefined;
}

/** Gives an item the facets of another, from which it was made. */
export function asMarked<Item extends object>(from: object, item: Item): Item {
  const facets = facetsOf(from);
  return facets === undefined ? item : withFacets(item, facets);
}
