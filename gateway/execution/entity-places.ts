// The objects at a path of a plan: through lists, nested ones too, and type conditions.
import { type Data, isData, valueAt } from './merging.ts';
import type { PathSegment } from './planner.ts';
import type { PossibleTypes } from './possible-types.ts';

/** The objects at the paths, without duplicates: places that share an entity share the objects below it. */
export function placesAt(data: Data, paths: readonly (readonly PathSegment[])[], types: PossibleTypes): Iterable<Data> {
  const found = new Set<Data>();
  for (const path of paths) new Search(path, types, found).visit(data, 0);
  return found;
}

class Search {
  readonly #path: readonly PathSegment[];
  readonly #types: PossibleTypes;
  readonly #found: Set<Data>;
  /** Lists that were visited, by their place in the path. */
  readonly #visited: Set<unknown>[] = [];

  constructor(path: readonly PathSegment[], types: PossibleTypes, found: Set<Data>) {
    this.#path = path;
    this.#types = types;
    this.#found = found;
  }

  /** `from`: index in the path. */
  visit(value: unknown, from: number): void {
    if (Array.isArray(value)) {
      if (this.#isNew(value, from)) for (const item of value) this.visit(item, from);
      return;
    }
    if (!isData(value)) return;
    const segment = this.#path[from];
    if (segment === undefined) this.#found.add(value);
    else if (segment === '@') this.visit(value, from + 1);
    else if ('Field' in segment) this.visit(valueAt(value, segment.Field), from + 1);
    else {
      // Without a type, the representation decides.
      const typename = valueAt(value, '__typename');
      if (typename === undefined || segment.TypeCondition.some((condition) => this.#types.fits(condition, typename)))
        this.visit(value, from + 1);
    }
  }

  #isNew(list: unknown, from: number): boolean {
    let visited = this.#visited[from];
    if (visited === undefined) {
      visited = new Set();
      this.#visited[from] = visited;
    }
    const { size } = visited;
    return visited.add(list).size > size;
  }
}
