// Lists of names, in FortiOS' form and in the arguments'.

import type { JsonObject, JsonValue } from '../driver.ts';

/** Names in the form of a FortiOS request. */
export function toMembers(names: JsonValue | undefined, key = 'name'): JsonValue | undefined {
  return Array.isArray(names) ? names.map((name: JsonValue) => ({ [key]: name })) : undefined;
}

/** Names from a reply's list, sorted: their order has no meaning. */
export function fromMembers(list: JsonValue | undefined, key = 'name'): readonly string[] {
  const names = Array.isArray(list) ? list.map((item: JsonValue) => memberOf(item, key)) : [];
  return sorted(names.filter((name) => name !== undefined));
}

export function sorted(names: readonly string[]): readonly string[] {
  return [...names].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
}

function memberOf(item: JsonValue, key: string): string | undefined {
  const name =
    typeof item === 'object' && item !== null && !Array.isArray(item) ? (item as JsonObject)[key] : undefined;
  return typeof name === 'string' ? name : undefined;
}
