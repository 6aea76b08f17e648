// The objects at a path of a plan: through lists, nested ones too, and type conditions.
import { type Data, isData, valueAt } from './merging.ts';
import type { PathSegment } from './planner.ts';
import type { PossibleTypes } from './possible-types.ts';

/** Adds the objects at the path below `value` to `found`. */
export function findPlaces(
  value: unknown,
  path: readonly PathSegment[],
  types: PossibleTypes,
  found: Data[],
  from = 0,
): void {
  if (Array.isArray(value)) {
    for (const item of value) findPlaces(item, path, types, found, from);
    return;
  }
  if (!isData(value)) return;
  const segment = path[from];
  if (segment === undefined) found.push(value);
  else if (segment === '@') findPlaces(value, path, types, found, from + 1);
  else if ('Field' in segment) findPlaces(valueAt(value, segment.Field), path, types, found, from + 1);
  else {
    // Without a type the representation decides.
    const typename = valueAt(value, '__typename');
    if (typename === undefined || segment.TypeCondition.some((condition) => types.fits(condition, typename)))
      findPlaces(value, path, types, found, from + 1);
  }
}
