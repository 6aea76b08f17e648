// Which values of arguments are secrets, by their schema: those with `writeOnly`, and all under names that the schema does not have.
import type { JsonObject, JsonValue } from './driver.ts';
import { isObject } from './json.ts';

/** Undefined for values under names that the schema does not have. */
type Schema = JsonObject | undefined;

/** A copy in which each secret is replaced. A value without secrets is returned as the same object. */
export function withSecrets(
  value: JsonValue,
  schema: Schema,
  made: (secret: string, isNamed: boolean) => JsonValue,
): JsonValue {
  if (Array.isArray(value)) {
    const items = schema === undefined ? undefined : schemaIn(schema.items);
    const all = value.map((item) => withSecrets(item, items, made));
    return all.every((item, index) => item === value[index]) ? value : all;
  }
  if (isObject(value)) {
    const properties = isObject(schema?.properties) ? schema.properties : {};
    const all = Object.entries(value).map(
      ([name, member]) => [name, withSecrets(member ?? null, schemaIn(properties[name]), made)] as const,
    );
    return all.every(([name, member]) => member === (value[name] ?? null)) ? value : Object.fromEntries(all);
  }
  const isSecret = schema === undefined || schema.writeOnly === true;
  // A boolean reveals no secret.
  if (!isSecret || (typeof value !== 'string' && typeof value !== 'number')) return value;
  return made(String(value), schema !== undefined);
}

/** Undefined as well if it allows anything. */
function schemaIn(schema: JsonValue | undefined): Schema {
  if (!isObject(schema)) return undefined;
  const says = ['type', 'enum', 'const', 'anyOf', 'oneOf'].some((word) => schema[word] !== undefined);
  return says ? schema : undefined;
}

/** Whether an operation may have values under names that its schema does not have. */
export function hasFreeForm(schema: JsonValue | undefined): boolean {
  const own = schemaIn(schema);
  if (own === undefined) return true;
  if (own.items !== undefined && hasFreeForm(own.items)) return true;
  if (own.type !== 'object') return false;
  const properties = isObject(own.properties) ? Object.values(own.properties) : [];
  return own.additionalProperties !== false || properties.some(hasFreeForm);
}
