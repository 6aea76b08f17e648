// Fields that several kinds of parts share.
import { formedField } from '../../../platform/graph/described/fields.ts';
import { cipherNames, pem } from '../../../platform/graph/described/patterns.ts';
import { booleanField, enumField, type Field, listField, textField } from '../../../platform/graph/fields.ts';
import { part } from './part-kind.ts';

export const nameField = part(textField('Display name, at most 255 characters.', 255), {
  default: '',
  octavia: 'name',
});
export const descriptionField = part(textField('Its purpose, as free text. At most 255 characters.', 255), {
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

const tlsVersion = {
  name: 'ListenerTlsVersion',
  description: 'A version of TLS.',
  values: { TLS_1_2: 'TLS 1.2 (RFC 5246).', TLS_1_3: 'TLS 1.3 (RFC 8446).' },
} as const;

export const tlsVersionsField = (description: string): Field =>
  listField(enumField('A version of TLS.', tlsVersion), description, 2);

/** Names in OpenSSL's notation. */
export const ciphersField = (description: string): Field => formedField(description, 2048, cipherNames);

export const certificatesField = (description: string): Field => formedField(description, 65_536, pem);
