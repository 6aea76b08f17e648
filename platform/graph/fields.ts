// Fields of the graph's inputs that are made from a description. Each is defined once and has both its part of the graph (type and description) and its
// JSON Schema for validation, so that the two can't drift apart.
import type { JsonObject } from '../json.ts';

export interface Field {
  /** Its type in the graph, without the `!`. */
  readonly type: string;
  readonly description: string;
  readonly required: boolean;
  readonly schema: JsonObject;
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
  return field('String', description, { type: 'string', minLength: 1, maxLength: 63, pattern: '^[A-Za-z0-9._-]+$' });
}

/** Printable characters. */
export function textField(description: string, maxLength: number, minLength = 0): Field {
  // Unicode's control characters, and characters that reorder or hide text.
  const pattern = '^[^\\p{Cc}\\p{Zl}\\p{Zp}\\u200e\\u200f\\u202a-\\u202e\\u2066-\\u2069]*$';
  return field('String', description, { type: 'string', minLength, maxLength, pattern });
}

export function addressBlockField(description: string): Field {
  return field('AddressBlock', description, { type: 'string', format: 'address-block', maxLength: 49 });
}

/** An address without a prefix length. */
export function addressField(description: string): Field {
  return field('AddressBlock', description, { type: 'string', format: 'address', maxLength: 45 });
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
 * Printable ASCII, never shown again: `writeOnly` in the JSON Schema (2020-12, validation, section 9.4). At least 4 characters: less
 * can't be cut out of what a device says.
 */
export function secretField(description: string, maxLength: number): Field {
  const pattern = '^[!-~]*$';
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
  const values = Object.entries(type.values).map(([value, meaning]) => `  ${quoted(meaning)}\n  ${value}\n`);
  const text = `${quoted(type.description)}\nenum ${type.name} {\n${values.join('')}}\n`;
  const schema = { type: 'string', enum: Object.keys(type.values) };
  return field(type.name, description, schema, new Map([[type.name, text]]));
}

export function inputField(
  description: string,
  type: { readonly name: string; readonly description: string; readonly fields: Fields },
): Field {
  const text = `${quoted(type.description)}\ninput ${type.name} {\n${fieldsText(type.fields)}}\n`;
  const definitions = new Map([...definitionsOf(type.fields), [type.name, text]]);
  return field(type.name, description, objectSchema(type.fields), definitions);
}

export function objectSchema(fields: Fields): JsonObject {
  const required = Object.keys(fields).filter((name) => fields[name]?.required);
  const properties = Object.fromEntries(Object.entries(fields).map(([name, one]) => [name, one.schema]));
  return { type: 'object', properties, required, additionalProperties: false };
}

export function fieldsText(fields: Fields): string {
  return Object.entries(fields)
    .map(([name, one]) => `  ${quoted(one.description)}\n  ${name}: ${one.type}${one.required ? '!' : ''}\n`)
    .join('');
}

export function definitionsOf(fields: Fields): Map<string, string> {
  return new Map(Object.values(fields).flatMap((one) => [...one.definitions]));
}

export function quoted(text: string): string {
  return JSON.stringify(text);
}
