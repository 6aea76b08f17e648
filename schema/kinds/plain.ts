// An object as an answer has it, whose unions are read by the name of their variant, with the fields by their own names.
import { isObject, type JsonObject, type JsonValue } from '../../platform/values/json.ts';
import { aliasOf, type Kind } from './kind.ts';

export function plain({ output }: Kind, object: JsonObject): JsonObject {
  const made: Record<string, JsonValue | undefined> = { ...object };
  for (const { name, variants } of output) {
    const value = object[name];
    const variant = isObject(value) ? variants?.find(({ type }) => type === value.__typename) : undefined;
    if (!isObject(value) || variant === undefined) continue;
    const members = variant.fields.map((each) => [each.name, value[aliasOf(variant, each)] ?? null]);
    made[name] = { __typename: variant.type, ...Object.fromEntries(members) };
  }
  return made;
}
