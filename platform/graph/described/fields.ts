// Fields that several described kinds have.
import { type Field, type Fields, fieldsText, inputField, quoted, textField } from '../fields.ts';
import type { Pattern } from './patterns.ts';

/** A text of a form. */
export function formedField(description: string, maxLength: number, { pattern }: Pattern, minLength = 1): Field {
  return { ...textField(description, maxLength, minLength), schema: { type: 'string', minLength, maxLength, pattern } };
}

/** A host name or an address. */
export function hostField(description: string): Field {
  // Without a zone, which means something on one machine alone.
  const schema = { type: 'string', format: 'host', maxLength: 253, pattern: '^[^%]*$' };
  return { ...textField(description, 253, 1), schema };
}

/** An object: `NAMEInput` in inputs, `NAME` in the type. */
export function objectField(
  description: string,
  type: { readonly name: string; readonly description: string; readonly fields: Fields },
): Field {
  const field = inputField(description, { ...type, name: `${type.name}Input` });
  const own = Object.fromEntries(
    Object.entries(type.fields).map(([name, one]) => [name, { ...one, type: one.type.replace(/Input(?=!?\]?$)/, '') }]),
  );
  const text = `${quoted(type.description)}\ntype ${type.name} {\n${fieldsText(own)}}\n`;
  return { ...field, definitions: new Map([...field.definitions, [type.name, text]]) };
}
