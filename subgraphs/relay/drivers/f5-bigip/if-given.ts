// Optional settings on their way to the device.
import type { JsonValue } from '../driver.ts';

/** Applies `change` to a given value; undefined stays undefined. */
export function ifGiven<T extends JsonValue>(value: JsonValue | undefined, change: (text: string) => T): T | undefined {
  return value === undefined ? undefined : change(String(value));
}
