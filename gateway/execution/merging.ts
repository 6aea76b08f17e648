// Merges what several subgraphs answered about one object. Only requested names are read, so that nothing else in an answer, such as
// `__proto__`, has an effect.
import { type FragmentDefinitionNode, Kind, type SelectionSetNode } from 'graphql';
import type { PossibleTypes } from './possible-types.ts';

export type Data = Record<string, unknown>;

/** Response names of a selection, of all type conditions; a leaf has none below it. */
export type RequestedNames = ReadonlyMap<string, RequestedNames | undefined>;

export function isData(value: unknown): value is Data {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A property of a JSON object. What an object inherits are functions, which JSON does not have. */
export function valueAt(object: Data, name: string): unknown {
  const value = object[name];
  return typeof value === 'function' ? undefined : value;
}

export function requestedNames(
  { selections }: SelectionSetNode,
  fragments: ReadonlyMap<string, FragmentDefinitionNode>,
): RequestedNames {
  const names = new Map<string, Map<string, RequestedNames | undefined> | undefined>();
  const add = (name: string, below: RequestedNames | undefined): void => {
    const known = names.get(name);
    if (known === undefined) return void names.set(name, below && new Map(below));
    for (const [each, deeper] of below ?? []) {
      const both = [known.get(each), deeper].flatMap((map) => (map === undefined ? [] : [...map]));
      known.set(each, both.length === 0 ? undefined : united(both));
    }
  };
  for (const selection of selections) {
    if (selection.kind === Kind.FIELD) {
      const below = selection.selectionSet && requestedNames(selection.selectionSet, fragments);
      add(selection.alias?.value ?? selection.name.value, below);
      continue;
    }
    const set =
      selection.kind === Kind.INLINE_FRAGMENT
        ? selection.selectionSet
        : fragments.get(selection.name.value)?.selectionSet;
    for (const [name, below] of set === undefined ? [] : requestedNames(set, fragments)) add(name, below);
  }
  return names;
}

function united(entries: readonly (readonly [string, RequestedNames | undefined])[]): RequestedNames {
  const all = new Map<string, RequestedNames | undefined>();
  for (const [name, below] of entries) {
    const known = all.get(name);
    all.set(name, known === undefined || below === undefined ? (below ?? known) : united([...known, ...below]));
  }
  return all;
}

/** Copies the requested part of `source` into `target`. A null does not replace a value. */
export function mergeInto(target: Data, source: Data, names: RequestedNames, types: PossibleTypes): void {
  for (const [name, below] of names) {
    const value = valueAt(source, name);
    if (value === undefined) continue;
    const known = valueAt(target, name);
    if (known === undefined || known === null) target[name] = value;
    else if (value === null) continue;
    else if (below !== undefined) mergeValues(known, value, below, types);
    // The interface's name for an @interfaceObject says less than the object's type.
    else if (name !== '__typename' || types.isObject(value as string)) target[name] = value;
  }
}

function mergeValues(target: unknown, source: unknown, names: RequestedNames, types: PossibleTypes): void {
  if (isData(target) && isData(source)) mergeInto(target, source, names, types);
  if (!Array.isArray(target) || !Array.isArray(source)) return;
  for (const [index, item] of source.entries()) {
    if (index >= target.length) return;
    if (target[index] === null) target[index] = item;
    else mergeValues(target[index], item, names, types);
  }
}
