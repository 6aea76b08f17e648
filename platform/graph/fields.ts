// Fields of the graph's inputs that are made from a description. Each is defined once and has both its part of the graph (type and description) and its
// JSON Schema for validation, so that the two can't drift apart.
import type { JsonObject, JsonValue } from '../values/json.ts';
import { objectName, secretText } from './described/patterns.ts';

export interface Field {
  /** Its type in the graph, without the `!`. */
  readonly type: string;
  readonly description: string;
  readonly required: boolean;
  readonly schema: JsonObject;
  /** The value of a field that was left out. Both the graph and the validation have it from here. Absent: null. */
  readonly default?: JsonValue;
  /** Behind the type, with a space before. */
  readonly directives?: string;
  /** Enums and inputs used by the type, by name. */
  readonly definitions: ReadonlyMap<string, string>;
}
export type Fields = Readonly<Record<string, Field>>;

function field(type: string, description: string, schema: JsonObject, definitions: Field['definitions'] = new Map()) {
  return { type, description, required: false, schema, definitions };
}

export function required(one: Field): Field {
  return { ...one, required: true };
}

/** Letters, digits, dots, hyphens and underscores: accepted as a name by every device; a driver's own schema may allow less. */
export function nameField(description: string): Field {
  return field('String', description, { type: 'string', minLength: 1, maxLength: 63, pattern: objectName.pattern });
}

/** Printable characters. */
export function textField(description: string, maxLength: number, minLength = 0): Field {
  // Unicode's control characters, and characters that reorder or hide text.
  const pattern = '^[^\\p{Cc}\\p{Zl}\\p{Zp}\\u200e\\u200f\\u202a-\\u202e\\u2066-\\u2069]*$';
  return field('String', description, { type: 'string', minLength, maxLength, pattern });
}

/** An address, or a CIDR block. */
export function addressBlockField(description: string): Field {
  return field('IpOrCidr', description, { type: 'string', format: 'address-block', maxLength: 49 });
}

/** A CIDR block, with its prefix length. */
export function cidrBlockField(description: string): Field {
  return field('CidrBlock', description, { type: 'string', format: 'cidr-block', maxLength: 49 });
}

/** An address without a prefix length. */
export function addressField(description: string): Field {
  return field('IpAddress', description, { type: 'string', format: 'address', maxLength: 45 });
}

export function portField(description: string): Field {
  return field('Port', description, { type: 'integer', minimum: 1, maximum: 65_535 });
}

export function integerField(description: string, minimum: number, maximum: number): Field {
  return field('Int', description, { type: 'integer', minimum, maximum });
}

export function numberField(description: string, minimum: number, maximum: number): Field {
  return field('Float', description, { type: 'number', minimum, maximum });
}

export function asNumberField(description: string): Field {
  return field('AsNumber', description, { type: 'integer', minimum: 1, maximum: 4_294_967_295 });
}

/**
 * Printable ASCII, never shown again: `writeOnly` in the JSON Schema (2020-12, validation, section 9.4). At least 4 characters,
 * because a shorter secret can't be cut out of a device's output.
 */
export function secretField(description: string, maxLength: number): Field {
  const { pattern } = secretText;
  return field('String', description, { type: 'string', minLength: 4, maxLength, pattern, writeOnly: true });
}

export function vlanField(description: string): Field {
  return integerField(`${description} 1 to 4094.`, 1, 4_094);
}

export function booleanField(description: string): Field {
  return field('Boolean', description, { type: 'boolean' });
}

export function listField(of: Field, description: string, maxItems = 100): Field {
  const schema = { type: 'array', items: of.schema, maxItems, minItems: 1, uniqueItems: true };
  return field(`[${of.type}!]`, description, schema, of.definitions);
}

/** An enum of the graph; `values` with their descriptions. */
export function enumField(
  description: string,
  type: { readonly name: string; readonly description: string; readonly values: Readonly<Record<string, string>> },
): Field {
  const schema = { type: 'string', enum: Object.keys(type.values) };
  return field(type.name, description, schema, new Map([[type.name, enumText(type)]]));
}

export function enumText(type: {
  readonly name: string;
  readonly description: string;
  readonly values: Readonly<Record<string, string>>;
}): string {
  const values = Object.entries(type.values).map(([value, meaning]) => `  ${quoted(meaning)}\n  ${value}\n`);
  return `${quoted(type.description)}\nenum ${type.name} {\n${values.join('')}}\n`;
}

interface InputType {
  readonly name: string;
  readonly description: string;
  readonly fields: Fields;
  /** Exactly one field must be given. Its fields have neither `required` nor a default. */
  readonly oneOf?: true;
}

export function inputField(description: string, type: InputType): Field {
  const definitions = new Map([...definitionsOf(type.fields), [type.name, inputTypeText(type)]]);
  const schema = objectSchema(type.fields);
  const bounds = type.oneOf === true ? { minProperties: 1, maxProperties: 1 } : {};
  return field(type.name, description, { ...schema, ...bounds }, definitions);
}

export function inputTypeText({ name, description, fields, oneOf }: InputType): string {
  return `${quoted(description)}\ninput ${name}${oneOf === true ? ' @oneOf' : ''} {\n${fieldsText(fields)}}\n`;
}

/** The schema of an object with these fields, which fills in their defaults. */
export function objectSchema(fields: Fields): JsonObject {
  const required = Object.keys(fields).filter((name) => fields[name]?.required);
  const properties = Object.fromEntries(Object.entries(fields).map(([name, one]) => [name, schemaWithDefault(one)]));
  return { type: 'object', properties, required, additionalProperties: false };
}

function schemaWithDefault({ schema, default: value }: Field): JsonObject {
  if (value === undefined || value === null) return schema;
  // A list that is empty by default may be empty.
  const { minItems, ...rest } = schema;
  const isEmptyList = Array.isArray(value) && value.length === 0;
  return { ...rest, ...(minItems === undefined || isEmptyList ? {} : { minItems }), default: value };
}

/** The fields of an input. */
/** For the cost of a request: how long a list of objects usually is. Empty for any other field. */
export function listSizeOf({ type, schema, refersTo }: Field & { readonly refersTo?: string }): string {
  const items = schema.items as { readonly type?: unknown } | undefined;
  const hasObjects = refersTo !== undefined || items?.type === 'object';
  return type.startsWith('[') && hasObjects ? ' @listSize(assumedSize: 3)' : '';
}

export function fieldsText(fields: Fields): string {
  return Object.entries(fields)
    .map(([name, one]) => `  ${quoted(one.description)}\n  ${name}: ${one.type}${endOf(one)}${one.directives ?? ''}\n`)
    .join('');
}

function endOf({ type, required: mustHave, default: value, schema }: Field): string {
  if (mustHave) return '!';
  // Introspection can't show the default of a scalar that is an object.
  if (type === 'JSON') return '';
  return value === undefined || value === null ? '' : ` = ${literal(value, schema)}`;
}

/** A value as SDL writes it: the values of an enum have no quotes. */
function literal(value: JsonValue, schema: JsonObject): string {
  if (Array.isArray(value)) return `[${value.map((item) => literal(item, part(schema.items))).join(', ')}]`;
  if (typeof value === 'object' && value !== null) {
    const properties = part(schema.properties);
    const fields = Object.entries(value).map(
      ([name, each]) => `${name}: ${literal(each ?? null, part(properties[name]))}`,
    );
    return `{${fields.join(', ')}}`;
  }
  return typeof value === 'string' && schema.enum === undefined ? quoted(value) : String(value);
}

function part(schema: JsonValue | undefined): JsonObject {
  return (schema ?? {}) as JsonObject;
}

/** For the input of a change, where a field that was left out keeps its value. */
export function withoutDefault<Some extends Field>(one: Some): Omit<Some, 'default'> {
  const { default: _, ...rest } = one;
  return rest;
}

export function definitionsOf(fields: Fields): Map<string, string> {
  return new Map(Object.values(fields).flatMap((one) => [...one.definitions]));
}

export function quoted(text: string): string {
  return JSON.stringify(text);
}
