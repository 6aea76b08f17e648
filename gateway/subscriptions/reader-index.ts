// The readers of a ring, indexed by their filters: among 1,000 readers with different filters an item finds its readers without
// checking the others.
import type { FeedFilter } from '../access/feed-filter.ts';

interface FilteredReader {
  readonly filter: FeedFilter;
}

interface Group<Reader> {
  readonly filter: FeedFilter;
  readonly readers: Set<Reader>;
}

export class ReaderIndex<Reader extends FilteredReader> {
  readonly #groups = new Map<string, Group<Reader>>();
  /** Groups with a filter, by each facet of their narrowest argument. */
  readonly #byFacet = new Map<string, Set<Group<Reader>>>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  *[Symbol.iterator](): Iterator<Reader> {
    for (const { readers } of this.#groups.values()) yield* readers;
  }

  add(reader: Reader): void {
    const { key, narrowest } = reader.filter;
    const group = this.#groups.get(key) ?? { filter: reader.filter, readers: new Set() };
    if (group.readers.has(reader)) return;
    group.readers.add(reader);
    this.#size += 1;
    if (this.#groups.has(key)) return;
    this.#groups.set(key, group);
    for (const facet of narrowest ?? []) {
      const groups = this.#byFacet.get(facet) ?? new Set();
      this.#byFacet.set(facet, groups.add(group));
    }
  }

  delete(reader: Reader): void {
    const { key, narrowest } = reader.filter;
    const group = this.#groups.get(key);
    if (group?.readers.delete(reader) !== true) return;
    this.#size -= 1;
    if (group.readers.size > 0) return;
    this.#groups.delete(key);
    for (const facet of narrowest ?? []) {
      const groups = this.#byFacet.get(facet);
      groups?.delete(group);
      if (groups?.size === 0) this.#byFacet.delete(facet);
    }
  }

  /** True when an item with these facets has a reader. */
  any(facets: readonly string[] | undefined): boolean {
    return this.#passing(facets).next().done !== true;
  }

  /** The readers of an item with these facets. Undefined for all. */
  *readersOf(facets: readonly string[] | undefined): Generator<Reader, void, void> {
    for (const { readers } of this.#passing(facets)) yield* readers;
  }

  *#passing(facets: readonly string[] | undefined): Generator<Group<Reader>, void, void> {
    if (facets === undefined) {
      yield* this.#groups.values();
      return;
    }
    const open = this.#groups.get('');
    if (open !== undefined) yield open;
    const met = new Set<Group<Reader>>();
    for (const facet of facets)
      for (const group of this.#byFacet.get(facet) ?? []) {
        if (met.has(group)) continue;
        met.add(group);
        if (group.filter.passes(facets)) yield group;
      }
  }
}
