// Parts of the operations' JSON Schemas.

import { canonicalText } from '../../../../platform/net/address-block.ts';
import { markChars } from '../mark.ts';

/** Neutron stores 255 characters of a description, including the mark. */
const maxWords = 255 - markChars;
/** Without control characters and characters that reorder or hide text. */
const printable = '^[^\\p{Cc}\\p{Zl}\\p{Zp}\\u200e\\u200f\\u202a-\\u202e\\u2066-\\u2069]*$';

export const uuid = (of: string) =>
  ({
    type: 'string',
    pattern: '^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$',
    description: `The id of ${of} in Neutron.`,
  }) as const;

export const name = {
  type: 'string',
  minLength: 1,
  maxLength: 63,
  pattern: '^[A-Za-z0-9._-]+$',
  description:
    'Its name: 1 to 63 letters, digits, dots, hyphens and underscores. The relay requires it to be unique; Neutron itself does not.',
} as const;

export const description = {
  type: 'string',
  maxLength: maxWords,
  pattern: printable,
  description: 'Free text, stored after the mark of the call.',
} as const;

export const adminStateUp = { type: 'boolean', description: 'Whether it is administratively up.' } as const;

export const addressBlock = {
  type: 'string',
  format: 'address-block',
  maxLength: 49,
  description: 'An IPv4 or IPv6 address, or a CIDR block whose host bits are zero.',
} as const;

export const address = { type: 'string', format: 'address', maxLength: 45, description: 'An address.' } as const;

/** In Neutron's form: a block has a prefix length, even for one address. */
export function toCidr(text: string): string {
  const block = canonicalText(text);
  if (block.includes('/')) return block;
  return `${block}/${block.includes(':') ? 128 : 32}`;
}
