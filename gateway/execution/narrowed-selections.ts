// An operation in other words, for which the planner may have a plan where it has none as the operation stands. Below a field with an
// @provides that has type conditions, it looks for a way to every object of an interface or union, also to those that the subgraph
// can't return there. So each object that it can return is asked for by itself, and no other. Where it can return none, nothing would be left.
import type { PossibleTypes } from './possible-types.ts';
import type { SubgraphTypes } from './subgraph-types.ts';

export interface PlannedField {
  /** The field's own name. */
  readonly name: string;
  /** With its internal name and its arguments. */
  readonly head: string;
  readonly below: PlannedSelections | undefined;
}

export interface PlannedSelections {
  readonly fields: Map<string, PlannedField>;
  readonly conditions: Map<string, PlannedSelections>;
}

/** What narrowed selections hold at most: members multiply with each level. */
const mostFields = 2_000;

export class Narrower {
  readonly #types: PossibleTypes;
  readonly #subgraphs: SubgraphTypes;
  #left = mostFields;
  #isPossible = true;

  constructor(types: PossibleTypes, subgraphs: SubgraphTypes) {
    this.#types = types;
    this.#subgraphs = subgraphs;
  }

  /** Of a root type. Undefined if they would be too large, or have nothing left of a field. */
  narrowed(type: string, selections: PlannedSelections): PlannedSelections | undefined {
    const made = this.#ofObject(type, [selections]);
    return this.#left < 0 || !this.#isPossible ? undefined : made;
  }

  #ofObject(type: string, all: readonly PlannedSelections[]): PlannedSelections {
    const made = emptySelections();
    const merged = new Map<string, { readonly field: PlannedField; readonly below: PlannedSelections[] }>();
    for (const [internal, field] of all.flatMap((each) => this.#fieldsFor(type, each))) {
      const known = merged.get(internal) ?? { field, below: [] };
      merged.set(internal, known);
      if (field.below !== undefined) known.below.push(field.below);
    }
    for (const [internal, { field, below }] of merged) {
      this.#left -= 1;
      if (this.#left < 0) break;
      const { name, head } = field;
      const at = below.length === 0 ? undefined : this.#subgraphs.below(type, name);
      const inner = at === undefined ? field.below : this.#at(at.type, at.objects, below);
      made.fields.set(internal, { name, head, below: inner });
    }
    return made;
  }

  /** The fields that an object of this type has, whatever the conditions they are under. */
  #fieldsFor(type: string, { fields, conditions }: PlannedSelections): readonly (readonly [string, PlannedField])[] {
    const below = [...conditions].filter(([condition]) => this.#types.fits(condition, type));
    return [...fields, ...below.flatMap(([, each]) => this.#fieldsFor(type, each))];
  }

  #at(type: string, objects: readonly string[], all: readonly PlannedSelections[]): PlannedSelections {
    if (this.#subgraphs.isObject(type)) return this.#ofObject(type, all);
    return this.#ofMembers(objects, all);
  }

  #ofMembers(objects: readonly string[], all: readonly PlannedSelections[]): PlannedSelections {
    if (objects.length === 0 && all.some(({ fields }) => [...fields.keys()].some((name) => name !== '__typename')))
      this.#isPossible = false;
    const made = emptySelections();
    made.fields.set('__typename', { name: '__typename', head: '__typename', below: undefined });
    for (const object of objects) {
      if (this.#left < 0) break;
      const selections = this.#ofObject(object, all);
      if (selections.fields.size > 0) made.conditions.set(object, selections);
    }
    return made;
  }
}

export function emptySelections(): PlannedSelections {
  return { fields: new Map(), conditions: new Map() };
}
