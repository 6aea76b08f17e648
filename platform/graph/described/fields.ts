// Fields that several described kinds have.
import {
  type Field,
  type Fields,
  fieldsText,
  inputField,
  listSizeOf,
  quoted,
  textField,
  withoutDefault,
} from '../fields.ts';
import type { DescribedField } from './kind.ts';
import { noZone, type Pattern } from './patterns.ts';

/** A text field with a pattern. */
export function formedField(description: string, maxLength: number, { pattern }: Pattern, minLength = 1): Field {
  return { ...textField(description, maxLength, minLength), schema: { type: 'string', minLength, maxLength, pattern } };
}

/** A host name or an address. */
export function hostField(description: string): Field {
  // Without a zone, which means something on one machine alone.
  const schema = { type: 'string', format: 'host', maxLength: 253, pattern: noZone.pattern };
  return { ...textField(description, 253, 1), schema };
}

/** An object: `NAMEInput` in inputs, `NAME` in the type. */
export function objectField(
  description: string,
  type: { readonly name: string; readonly description: string; readonly fields: Fields; readonly oneOf?: true },
): Field {
  const field = inputField(description, { ...type, name: `${type.name}Input` });
  const text = `${quoted(type.description)}\ntype ${type.name} {\n${fieldsText(shownFields(type.fields))}}\n`;
  return { ...field, definitions: new Map([...field.definitions, [type.name, text]]) };
}

/** A field with a default always has a value. */
function shownFields(fields: Fields): Fields {
  return Object.fromEntries(
    Object.entries(fields).map(([name, one]) => {
      const isAlways = one.required || (one.default !== undefined && one.default !== null);
      const type = one.type.replace(/Input(?=!?\]?$)/, '');
      const { shownAs } = one as DescribedField;
      if (shownAs !== undefined) return [shownAs.name, { ...withoutDefault(one), ...shownAs, required: false }];
      return [name, { ...withoutDefault(one), type, required: isAlways, directives: listSizeOf(one) }];
    }),
  );
}
