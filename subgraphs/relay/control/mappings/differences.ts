// Differences between the desired and the actual state of an object. The driver defines exceptions: the order of a list that is a
// set, and settings that the device chooses itself.
import { isDeepStrictEqual } from 'node:util';
import { canonicalJson } from '../../../../platform/values/json.ts';
import type { JsonObject, JsonValue, ResourceReader } from '../../drivers/driver.ts';
import { isObject } from '../../drivers/json.ts';

export interface Difference {
  /** Path with dots, for example source.address. */
  readonly path: string;
  /** Null when it was left out. */
  readonly wanted: JsonValue;
  /** Null when it does not exist. */
  readonly found: JsonValue;
}

export interface Comparison extends Pick<ResourceReader, 'lists'> {
  /**
   * Settings that may have any value if they are not wanted. If absent, this applies to all settings, as after a change of some
   * settings.
   */
  readonly own?: readonly string[];
}

const mostDifferences = 100;

export function differences(wanted: JsonObject, found: JsonObject, { lists, own }: Comparison): Difference[] {
  const all: Difference[] = [];
  compare('', wanted, found, lists, all);
  if (own !== undefined)
    for (const [path, have] of Object.entries(found))
      if (wanted[path] === undefined && !own.includes(path) && !isNothing(have))
        all.push({ path, wanted: null, found: have ?? null });
  return all.slice(0, mostDifferences);
}

function compare(
  path: string,
  wanted: JsonObject,
  found: JsonObject,
  lists: Comparison['lists'],
  all: Difference[],
): void {
  for (const [name, want] of Object.entries(wanted)) {
    if (want === undefined) continue;
    const have = found[name] ?? null;
    const where = path === '' ? name : `${path}.${name}`;
    if (isObject(want) && isObject(have)) compare(where, want, have, lists, all);
    else if (!isEqual(want, have, lists[where] === 'SET')) all.push({ path: where, wanted: want, found: have });
  }
}

function isEqual(want: JsonValue, have: JsonValue, isSet: boolean): boolean {
  if (!isSet || !Array.isArray(want) || !Array.isArray(have)) return isDeepStrictEqual(want, have);
  return isDeepStrictEqual(new Set(want.map(canonicalJson)), new Set(have.map(canonicalJson)));
}

/** Whether a value is one that devices show for an unset setting. */
function isNothing(value: JsonValue | undefined): boolean {
  if (value === undefined || value === null || value === '') return true;
  return typeof value === 'object' && Object.keys(value).length === 0;
}
