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

export const nameOf = (what: string) =>
  part(textField(`Its name, for people. Unique in its ${what} where it is not empty.`, 255), {
    default: '',
    octavia: 'name',
  });
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
export const ciphersField = (description: string): Field => ({
  ...textField(description, 2048, 1),
  schema: { type: 'string', minLength: 1, maxLength: 2048, pattern: '^[A-Z0-9-]+(:[A-Z0-9-]+)*$' },
});

export const certificatesField = (description: string): Field => ({
  ...textField(description, 65_536, 1),
  schema: { type: 'string', minLength: 1, maxLength: 65_536, pattern: '^[\\x20-\\x7e\\r\\n]*$' },
});

/** An object: `NAMEInput` in inputs, `NAME` in the type. */
export function objectField(
  description: string,
  type: { readonly name: string; readonly description: string; readonly fields: Fields },
): Field {
  const field = inputField(description, { ...type, name: `${type.name}Input` });
  const text = `${quoted(type.description)}\ntype ${type.name} {\n${fieldsText(type.fields)}}\n`;
  return { ...field, definitions: new Map([...field.definitions, [type.name, text]]) };
}
