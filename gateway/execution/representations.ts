// The representation of an entity for another subgraph, from the known fields of the object.
import { NullObject } from '../../platform/values/null-object.ts';
import { type Data, isData, type RequestedNames, valueAt } from './merging.ts';
import type { RequiredSelection, Rewrite } from './planner.ts';
import type { PossibleTypes } from './possible-types.ts';

/** A value that a representation needs and the object, or the list, lacks. */
export class MissingValue {
  readonly object: object;
  readonly name: string | number;

  constructor(object: object, name: string | number) {
    this.object = object;
    this.name = name;
  }
}

/** Whether a null came with an error. */
type Failed = (object: object, name: string | number) => boolean;

/** Undefined if the object has another type than requested. */
export function representationOf(
  object: Data,
  requires: readonly RequiredSelection[],
  types: PossibleTypes,
  failed: Failed,
): Data | MissingValue | undefined {
  const representation = new NullObject();
  const typename = valueAt(object, '__typename');
  if (typename === undefined) return new MissingValue(object, '__typename');
  let fits = false;
  for (const selection of requires) {
    const selections = selection.kind === 'InlineFragment' ? selection.selections : [selection];
    if (selection.kind === 'InlineFragment' && !types.fits(selection.typeCondition, typename)) continue;
    fits = true;
    const missing = addTo(representation, object, selections, types, failed);
    if (missing !== undefined) return missing;
  }
  return fits ? representation : undefined;
}

function addTo(
  target: Data,
  object: Data,
  selections: readonly RequiredSelection[],
  types: PossibleTypes,
  failed: Failed,
): MissingValue | undefined {
  for (const selection of selections) {
    if (selection.kind === 'InlineFragment') {
      if (!types.fits(selection.typeCondition, valueAt(object, '__typename'))) continue;
      const missing = addTo(target, object, selection.selections, types, failed);
      if (missing !== undefined) return missing;
      continue;
    }
    const { name, alias, selections: below } = selection;
    const value = valueAt(object, name);
    if (value === undefined || (value === null && failed(object, name))) return new MissingValue(object, name);
    const copied = below == null || below.length === 0 ? value : copyOf(value, below, types, failed);
    if (copied instanceof MissingValue) return copied;
    const known = target[alias ?? name];
    if (isData(known) && isData(copied)) Object.assign(known, copied);
    else target[alias ?? name] = copied;
  }
  return undefined;
}

function copyOf(
  value: unknown,
  selections: readonly RequiredSelection[],
  types: PossibleTypes,
  failed: Failed,
): unknown {
  if (Array.isArray(value)) {
    const items: unknown[] = [];
    for (const [index, item] of value.entries()) {
      if (item === null && failed(value, index)) return new MissingValue(value, index);
      const copied = copyOf(item, selections, types, failed);
      if (copied instanceof MissingValue) return copied;
      items.push(copied);
    }
    return items;
  }
  if (!isData(value)) return value;
  const copy = new NullObject();
  return addTo(copy, value, selections, types, failed) ?? copy;
}

/** The fields of an object in a representation, by their names there. `fits`: whether the object fulfils a condition on its type. */
export function requiredNames(
  requires: readonly RequiredSelection[],
  fits: (condition: string) => boolean,
): RequestedNames {
  const names = new Map<string, RequestedNames | null>();
  for (const selection of requires) {
    if (selection.kind === 'InlineFragment') {
      if (fits(selection.typeCondition))
        for (const [name, below] of requiredNames(selection.selections, fits)) names.set(name, below);
      continue;
    }
    const { name, selections } = selection;
    names.set(name, selections == null || selections.length === 0 ? null : requiredNames(selections, () => true));
  }
  return names;
}

/** Applies a rewrite of the plan to an object, through its lists. */
export function rewrite(value: unknown, change: Rewrite, types: PossibleTypes, from = 0): void {
  if (Array.isArray(value)) {
    for (const item of value) rewrite(item, change, types, from);
    return;
  }
  if (!isData(value)) return;
  const { path } = 'ValueSetter' in change ? change.ValueSetter : change.KeyRenamer;
  const segment = path[from];
  if (segment === undefined) return;
  if ('TypenameEquals' in segment) {
    const typename = valueAt(value, '__typename');
    if (segment.TypenameEquals.some((condition) => types.fits(condition, typename)))
      rewrite(value, change, types, from + 1);
    return;
  }
  const known = valueAt(value, segment.Key);
  if (from < path.length - 1) {
    rewrite(known, change, types, from + 1);
    return;
  }
  if (known === undefined) return;
  if ('ValueSetter' in change) {
    value[segment.Key] = change.ValueSetter.setValueTo;
    return;
  }
  value[change.KeyRenamer.renameKeyTo] = known;
  delete value[segment.Key];
}

/** A path of the answer with the name that a rewrite gave its keys. */
export function rewrittenPath(
  path: readonly (string | number)[],
  changes: readonly Rewrite[],
): readonly (string | number)[] {
  const renamed = [...path];
  for (const change of changes) {
    if (!('KeyRenamer' in change)) continue;
    const keys = change.KeyRenamer.path.flatMap((segment) => ('Key' in segment ? [segment.Key] : []));
    let seen = 0;
    for (const [index, key] of path.entries()) {
      if (typeof key === 'number') continue;
      if (key !== keys[seen]) break;
      seen += 1;
      if (seen === keys.length) renamed[index] = change.KeyRenamer.renameKeyTo;
    }
  }
  return renamed;
}
