// The fields that a request asks of a subgraph, compiled once from its document. Everything else is removed from the answer before other code reads
// it, at any depth.
import { type FieldNode, type FragmentDefinitionNode, Kind, type SelectionSetNode } from 'graphql';
import { type Data, isData, type RequestedNames, valueAt } from './merging.ts';
import type { EntitySelection } from './planner.ts';
import type { PossibleTypes } from './possible-types.ts';

/** By response name, in the order of the request. Null for a leaf. */
class Fields {
  readonly names: readonly string[];
  readonly #below: readonly (RequestedFields | null)[];
  readonly #byName: ReadonlyMap<string, RequestedFields | null>;

  constructor(byName: ReadonlyMap<string, RequestedFields | null>) {
    this.names = [...byName.keys()];
    this.#below = [...byName.values()];
    this.#byName = byName;
  }

  get(name: string): RequestedFields | null | undefined {
    return this.#byName.get(name);
  }

  /** Removes all other fields from an object. */
  purge(object: Data): void {
    let at = 0;
    for (const name in object) {
      // Most answers have the order of the request, so no name is looked up.
      const below = this.names[at] === name ? this.#below[at] : this.#byName.get(name);
      at += 1;
      if (below === undefined) delete object[name];
      else if (below !== null) below.purge(object[name]);
    }
  }
}

interface ConditionalField {
  readonly conditions: readonly string[];
  readonly node: FieldNode;
}

interface RequestSource {
  readonly fragments: ReadonlyMap<string, FragmentDefinitionNode>;
  readonly types: PossibleTypes;
}

/** More than any type has. A deeper list is ignored, because code that walks an answer must not exhaust the stack. */
const mostNestedLists = 16;

/** The fields that are requested of an object. */
export class RequestedFields {
  /** Fields of all types. */
  readonly all: Fields;
  readonly #source: RequestSource;
  /** Undefined if they are the same for all types. */
  readonly #conditional: readonly ConditionalField[] | undefined;
  readonly #isTyped: boolean;
  readonly #byType = new Map<string, Fields>();

  constructor(sets: readonly SelectionSetNode[], source: RequestSource) {
    const fields = sets.flatMap((set) => fieldsIn(set, source.fragments, []));
    this.#source = source;
    this.all = this.#compiled(fields);
    this.#conditional = fields.some(({ conditions }) => conditions.length > 0) ? fields : undefined;
    this.#isTyped = this.#conditional !== undefined && this.all.get('__typename') === null;
  }

  /** Fields of an object of this type. */
  of(typename: unknown): Fields {
    const fields = this.#conditional;
    if (fields === undefined) return this.all;
    const { types } = this.#source;
    // A subgraph may answer any name.
    const type = typeof typename === 'string' && types.isKnown(typename) ? typename : '';
    let known = this.#byType.get(type);
    if (known === undefined) {
      const fits = (condition: string) => types.fits(condition, type);
      known = this.#compiled(fields.filter(({ conditions }) => conditions.every(fits)));
      this.#byType.set(type, known);
    }
    return known;
  }

  /** Removes everything else from a value of the answer. */
  purge(value: unknown, lists = 0): void {
    if (Array.isArray(value)) {
      for (let index = 0; index < value.length; index += 1) {
        if (lists === mostNestedLists) value[index] = null;
        else this.purge(value[index], lists + 1);
      }
      return;
    }
    if (!isData(value)) return;
    // A position without a requested type always has the same one.
    const fields = this.#isTyped ? this.of(valueAt(value, '__typename')) : this.all;
    fields.purge(value);
  }

  /** Names after the plan's renaming of fields in the answer. */
  names(changes: EntitySelection['outputRewrites']): RequestedNames {
    const names = this.#names();
    for (const change of changes ?? []) {
      if (!('KeyRenamer' in change)) continue;
      const { path, renameKeyTo } = change.KeyRenamer;
      const keys = path.flatMap((segment) => ('Key' in segment ? [segment.Key] : []));
      const last = keys.pop();
      let at: Names | null | undefined = names;
      for (const key of keys) at = at?.get(key);
      const renamed = last === undefined ? undefined : at?.get(last);
      if (renamed !== undefined) at?.set(renameKeyTo, united(renamed, at.get(renameKeyTo)));
    }
    return names;
  }

  #names(): Names {
    const below = (name: string) => {
      const fields = this.all.get(name);
      return fields == null ? null : fields.#names();
    };
    return new Map(this.all.names.map((name) => [name, below(name)]));
  }

  #compiled(fields: readonly ConditionalField[]): Fields {
    const byName = Map.groupBy(fields, ({ node }) => node.alias?.value ?? node.name.value);
    const below = [...byName].map(([name, same]) => {
      const sets = same.flatMap(({ node: { selectionSet } }) => selectionSet ?? []);
      return [name, sets.length === 0 ? null : new RequestedFields(sets, this.#source)] as const;
    });
    return new Fields(new Map(below));
  }
}

/** Removes other subgraphs' answers for these fields, except the key. */
export function withdraw(object: Data, fields: Fields, key: RequestedNames): void {
  for (const name of fields.names) {
    const below = fields.get(name);
    const ofKey = key.get(name);
    if (name === '__typename' || ofKey === null) continue;
    if (below == null) delete object[name];
    else withdrawBelow(valueAt(object, name), below, ofKey ?? new Map());
  }
}

function withdrawBelow(value: unknown, fields: RequestedFields, key: RequestedNames): void {
  if (Array.isArray(value)) for (const item of value) withdrawBelow(item, fields, key);
  else if (isData(value)) withdraw(value, fields.of(valueAt(value, '__typename')), key);
}

type Names = Map<string, Names | null>;

function united(one: Names | null, other: Names | null | undefined): Names | null {
  if (one === null || other == null) return one ?? other ?? null;
  const all: Names = new Map(other);
  for (const [name, below] of one) all.set(name, united(below, all.get(name)));
  return all;
}

function fieldsIn(
  { selections }: SelectionSetNode,
  fragments: RequestSource['fragments'],
  conditions: readonly string[],
): readonly ConditionalField[] {
  return selections.flatMap((selection) => {
    if (selection.kind === Kind.FIELD) return [{ conditions, node: selection }];
    const fragment = selection.kind === Kind.INLINE_FRAGMENT ? selection : fragments.get(selection.name.value);
    if (fragment === undefined) return [];
    const condition = fragment.typeCondition?.name.value;
    return fieldsIn(
      fragment.selectionSet,
      fragments,
      condition === undefined ? conditions : [...conditions, condition],
    );
  });
}
