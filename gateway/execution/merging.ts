// Merges the answers of several subgraphs about one object. Unrequested fields were removed before (requested-fields.ts).
import type { PossibleTypes } from './possible-types.ts';

export type Data = Record<string, unknown>;

/** Response names of a selection, of all type conditions, with those below them. Null for a leaf. */
export type RequestedNames = ReadonlyMap<string, RequestedNames | null>;

export function isData(value: unknown): value is Data {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A property of a JSON object. Ignores inherited members, which are functions. */
export function valueAt(object: Data, name: string): unknown {
  const value = object[name];
  return typeof value === 'function' ? undefined : value;
}

/**
 * Adds the members of `source`. `key`: the fields that the subgraph was sent, which it can't change. A leaf that is null replaces a value. An object
 * or list does not, because subgraphs that share a value each answer their part of it, and one may have failed.
 */
export function mergeInto(
  target: Data,
  source: Data,
  names: RequestedNames,
  types: PossibleTypes,
  key: RequestedNames | undefined,
): void {
  for (const name in source) {
    const value = source[name];
    if (value === undefined) continue;
    const known = valueAt(target, name);
    if (known === undefined) {
      target[name] = value;
      continue;
    }
    const ofKey = key?.get(name);
    if (ofKey === null && name !== '__typename') continue;
    const below = names.get(name);
    if (name === '__typename') {
      // The object's type takes precedence over an @interfaceObject's interface name.
      if (!types.isObject(known as string) && types.isObject(value as string)) target[name] = value;
    } else if (below == null || known === null) target[name] = value;
    else mergeValues(known, value, below, types, ofKey);
  }
}

/** Lists of different lengths contain different objects, so each item then lacks its fields. */
function mergeValues(
  target: unknown,
  source: unknown,
  names: RequestedNames,
  types: PossibleTypes,
  key: RequestedNames | null | undefined,
): void {
  if (isData(target) && isData(source)) mergeInto(target, source, names, types, key ?? undefined);
  if (!Array.isArray(target) || !Array.isArray(source) || target.length !== source.length) return;
  for (const [index, item] of source.entries()) {
    if (target[index] === null) target[index] = item;
    else mergeValues(target[index], item, names, types, key);
  }
}
