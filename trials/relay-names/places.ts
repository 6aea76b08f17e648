// The places for a text in an operation's arguments, derived from its JSON Schema, so that a new argument is tried automatically.
// Numbers and enumerated words are places, too, because a text must not get past them either.
import { validateObject } from '../../platform/input/json-schema.ts';
import type { ArgumentFault, DriverOperation, JsonObject, JsonValue } from '../../subgraphs/relay/drivers/driver.ts';
import { isObject } from '../../subgraphs/relay/drivers/json.ts';

export interface Place {
  /** For messages, for example `source.address`, `variables[]`, `externalIds{}` (a value) or `externalIds{key}`. */
  readonly name: string;
  /** The argument that a fault must name. */
  readonly field: (text: string) => string;
  /** Whether any matching text is allowed. Otherwise it is a number, or one of a few words. */
  readonly isFree: boolean;
  /** Whether the text alone would be valid. In that case a conflicting argument may be at fault, too. */
  readonly fits: (text: string) => boolean;
  /** Arguments with the text in this place. */
  readonly put: (base: JsonObject, text: string) => JsonObject;
}

/** All places of an operation. The last one is an unknown argument whose name is the text. */
export function placesOf({ argumentsSchema }: DriverOperation): readonly Place[] {
  const properties = isObject(argumentsSchema.properties) ? argumentsSchema.properties : {};
  const places = Object.entries(properties).flatMap(([field, schema]) =>
    isObject(schema) ? inside(field, schema) : [],
  );
  const unknown: Place = {
    name: '(unknown)',
    field: (text) => text,
    isFree: false,
    fits: (text) => Object.hasOwn(properties, text),
    put: (base, text) => ({ ...base, [text]: 'x' }),
  };
  return [...places, unknown];
}

function inside(field: string, schema: JsonObject): Place[] {
  const alone: JsonObject = { type: 'object', properties: { [field]: schema } };
  const place = (name: string, at: (text: string) => JsonValue, each: JsonValue | undefined): Place => ({
    name,
    field: () => field,
    isFree: isFreeText(each),
    fits: (text) => validateObject(alone, { [field]: at(text) }).ok,
    put: (base, text) => ({ ...base, [field]: at(text) }),
  });
  if (schema.type === 'array') return [place(`${field}[]`, (text) => [text], schema.items)];
  if (schema.type !== 'object') return [place(field, (text) => text, schema)];
  if (isObject(schema.properties)) {
    const properties = Object.entries(schema.properties);
    return properties.map(([name, each]) => place(`${field}.${name}`, (text) => ({ [name]: text }), each));
  }
  return [
    place(`${field}{}`, (text) => ({ key: text }), schema.additionalProperties),
    place(`${field}{key}`, (text) => ({ [text]: 'value' }), schema.propertyNames),
  ];
}

function isFreeText(schema: JsonValue | undefined): boolean {
  if (!isObject(schema) || schema.enum !== undefined) return false;
  return Array.isArray(schema.type) ? schema.type.includes('string') : schema.type === 'string';
}

/** Whether a refusal names its argument. */
export function isNamed(faults: readonly ArgumentFault[], place: Place, text: string): boolean {
  if (faults.length === 0 || faults.some(({ message }) => message === '')) return false;
  if (faults.some(({ path }) => path[0] === place.field(text))) return true;
  return faults.every(({ path }) => path.length > 0) && place.fits(text);
}
