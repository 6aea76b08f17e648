// Helpers of all drivers for JSON values.
import type { JsonObject, JsonValue } from './driver.ts';

export { isObject, jsonIn } from '../../../platform/values/json.ts';

/** Without undefined members: settings that were not given are not sent, so that the device keeps its values. */
export function given(fields: Readonly<Record<string, JsonValue | undefined>>): JsonObject {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

/** JSON Schema of arguments that are an object of these properties and no others. */
export function argumentsSchema(properties: JsonObject, required: readonly string[] = []): JsonObject {
  return { type: 'object', properties, required, additionalProperties: false };
}

/** What an operation has that reads everything, for users. */
export const plainRead = {
  category: 'USER',
  effect: 'READ',
  argumentsSchema: argumentsSchema({}),
  example: {},
} as const;
