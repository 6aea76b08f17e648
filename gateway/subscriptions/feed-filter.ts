// What a reader of a feed asks for: the values of the field's arguments, against which the facets of each item are held.
import { facet } from '../../platform/events/facets.ts';

/** An argument that was given. */
export interface FilterArgument {
  readonly name: string;
  /** By which the subgraph is told its value. */
  readonly variable: string;
  /** As the graph has it: a scalar, or a list of them. */
  readonly value: unknown;
}

export class FeedFilter {
  /** The same text for filters that let the same items pass; empty when all pass. */
  readonly key: string;
  /** What the subgraph is asked with. */
  readonly variables: Readonly<Record<string, unknown>>;
  /** Of these facets an item that passes has at least one; undefined when all items pass. */
  readonly narrowest: ReadonlySet<string> | undefined;
  /** By argument: an item that passes has one facet of each, so that a list does with any of its values. */
  readonly #wanted: readonly ReadonlySet<string>[];

  constructor(given: readonly FilterArgument[]) {
    const wanted = given.map(({ name, value }) => {
      const values = Array.isArray(value) ? (value as unknown[]) : [value];
      return [name, [...new Set(values.map(String))].sort()] as const;
    });
    wanted.sort(([a], [b]) => (a < b ? -1 : 1));
    this.key = wanted.length === 0 ? '' : JSON.stringify(wanted);
    this.variables = Object.fromEntries(given.map(({ variable, value }) => [variable, value]));
    this.#wanted = wanted.map(([name, values]) => new Set(values.map((value) => facet(name, value))));
    this.narrowest = [...this.#wanted].sort((a, b) => a.size - b.size)[0];
  }

  /** `facets` undefined: the item is for every reader. */
  passes(facets: readonly string[] | undefined): boolean {
    return facets === undefined || this.#wanted.every((wanted) => facets.some((each) => wanted.has(each)));
  }
}

/** Lets all items pass. */
export const openFilter = new FeedFilter([]);
