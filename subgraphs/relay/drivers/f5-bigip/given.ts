// Arguments that were left out are left out of what is sent, so that the device's own values stay.

import type { JsonObject, JsonValue } from '../driver.ts';

export function given(fields: Readonly<Record<string, JsonValue | undefined>>): JsonObject {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

/** `change` of what was given, undefined of what was not. */
export function ifGiven<T extends JsonValue>(value: JsonValue | undefined, change: (text: string) => T): T | undefined {
  return value === undefined ? undefined : change(String(value));
}
