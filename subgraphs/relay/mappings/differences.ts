// Differences between the desired and the actual state of an object. Only desired values are compared: values that a device adds
// by itself are not a difference, nor is the order of a list of plain values.
import { isDeepStrictEqual } from 'node:util';
import type { JsonObject, JsonValue } from '../drivers/driver.ts';
import { isObject } from '../drivers/json.ts';

export interface Difference {
  /** Path with dots, for example source.address. */
  readonly path: string;
  readonly wanted: JsonValue;
  /** Null when it does not exist. */
  readonly found: JsonValue;
}

const mostDifferences = 100;

export function differences(wanted: JsonObject, found: JsonObject): Difference[] {
  const all: Difference[] = [];
  compare('', wanted, found, all);
  return all.slice(0, mostDifferences);
}

function compare(path: string, wanted: JsonObject, found: JsonObject, all: Difference[]): void {
  for (const [name, want] of Object.entries(wanted)) {
    if (want === undefined) continue;
    const have = found[name] ?? null;
    const where = path === '' ? name : `${path}.${name}`;
    if (isObject(want) && isObject(have)) compare(where, want, have, all);
    else if (!isDeepStrictEqual(settled(want), settled(have))) all.push({ path: where, wanted: want, found: have });
  }
}

/** Sorts lists of plain values. */
function settled(value: JsonValue): JsonValue {
  if (!Array.isArray(value) || value.some((entry) => typeof entry === 'object' && entry !== null)) return value;
  return [...value].sort((a, b) => (String(a) < String(b) ? -1 : 1));
}
