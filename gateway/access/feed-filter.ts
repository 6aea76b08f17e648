// A reader's filter of a feed: the values of the field's arguments, compared with the facets of each item.
import { facet, facetText } from '../../platform/events/facets.ts';

/** A given argument. */
export interface FilterArgument {
  readonly name: string;
  /** The variable with its value for the subgraph. */
  readonly variable: string;
  /** In the graph's form: a scalar or an object of scalars, or a list of them. */
  readonly value: unknown;
}

export class FeedFilter {
  /** Equal for filters that match the same items. Empty if all match. */
  readonly key: string;
  /** The variables for the subgraph. */
  readonly variables: Readonly<Record<string, unknown>>;
  /** A matching item has at least one of these facets. Undefined when all items match. */
  readonly narrowest: ReadonlySet<string> | undefined;
  /** By argument: a matching item has one facet of each, so a list matches with any of its values. */
  readonly #wanted: readonly ReadonlySet<string>[];

  constructor(given: readonly FilterArgument[]) {
    const wanted = given.map(({ name, value }) => {
      const values = Array.isArray(value) ? (value as unknown[]) : [value];
      return [name, [...new Set(values.map(facetText))].sort()] as const;
    });
    wanted.sort(([a], [b]) => (a < b ? -1 : 1));
    this.key = wanted.length === 0 ? '' : JSON.stringify(wanted);
    this.variables = Object.fromEntries(given.map(({ variable, value }) => [variable, value]));
    this.#wanted = wanted.map(([name, values]) => new Set(values.map((value) => facet(name, value))));
    this.narrowest = [...this.#wanted].sort((a, b) => a.size - b.size)[0];
  }

  /** `facets`: undefined if the item is for every reader. */
  passes(facets: readonly string[] | undefined): boolean {
    return facets === undefined || this.#wanted.every((wanted) => facets.some((each) => wanted.has(each)));
  }
}

/** Matches all items. */
export const openFilter = new FeedFilter([]);
