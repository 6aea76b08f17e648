// Settings that may be left out, on their way to the device.
import type { JsonValue } from '../driver.ts';

/** `change` of what was given, undefined of what was not. */
export function ifGiven<T extends JsonValue>(value: JsonValue | undefined, change: (text: string) => T): T | undefined {
  return value === undefined ? undefined : change(String(value));
}
