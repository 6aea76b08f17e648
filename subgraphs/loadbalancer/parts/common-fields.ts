// Fields that several kinds of parts have.
import {
  booleanField,
  enumField,
  type Field,
  type Fields,
  fieldsText,
  inputField,
  listField,
  quoted,
  textField,
} from '../../../platform/graph/fields.ts';
import { part } from './part-kind.ts';
import { cipherNames, type Pattern, pem } from './patterns.ts';

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

export const nameField = part(textField('Its name, for people.', 255), { default: '', octavia: 'name' });
export const descriptionField = part(textField('A description, for people.', 255), {
  default: '',
  octavia: 'description',
});
export const enabledField = part(booleanField('False: it is kept and not used.'), {
  default: true,
  octavia: 'admin_state_up',
});
export const tagsField = part(listField(textField('A tag.', 255, 1), 'Tags, at most 32.', 32), {
  default: [],
  octavia: 'tags',
});

export const tlsVersion = {
  name: 'ListenerTlsVersion',
  description: 'A version of TLS.',
  values: { TLS_1_2: 'TLS 1.2 (RFC 5246).', TLS_1_3: 'TLS 1.3 (RFC 8446).' },
} as const;

export const tlsVersionsField = (description: string): Field =>
  listField(enumField('A version of TLS.', tlsVersion), description, 2);

/** Names as OpenSSL writes them. */
export const ciphersField = (description: string): Field => formedField(description, 2048, cipherNames);

export const certificatesField = (description: string): Field => formedField(description, 65_536, pem);

/** An object: `NAMEInput` in inputs, `NAME` in the type. */
export function objectField(
  description: string,
  type: { readonly name: string; readonly description: string; readonly fields: Fields },
): Field {
  const field = inputField(description, { ...type, name: `${type.name}Input` });
  const text = `${quoted(type.description)}\ntype ${type.name} {\n${fieldsText(type.fields)}}\n`;
  return { ...field, definitions: new Map([...field.definitions, [type.name, text]]) };
}
