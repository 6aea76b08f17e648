// Parts of the operations' JSON Schemas. nft's own language accepts these names too (except its reserved words), so that a
// ruleset saved as text can be loaded again.

import { maxWordsBytes } from './mark.ts';

export type AddressFamily = 'inet' | 'ip' | 'ip6';

export const name = {
  type: 'string',
  pattern: '^[A-Za-z_][A-Za-z0-9_.-]{0,62}$',
  description: '1 to 63 letters, digits, dots, hyphens and underscores; a letter or underscore first.',
} as const;

export const family = { type: 'string', enum: ['inet', 'ip', 'ip6'], default: 'inet' } as const;

export const table = { ...name, default: 'filter' } as const;

export const addressBlock = {
  type: 'string',
  format: 'address-block',
  maxLength: 49,
  description: 'An IPv4 or IPv6 address, or a CIDR block whose host bits are zero.',
} as const;

export const comment = {
  type: 'string',
  minLength: 1,
  maxLength: maxWordsBytes,
  // A double quote would end the comment in a ruleset that was saved as text.
  pattern: '^[^"\\p{C}\\p{Zl}\\p{Zp}]*$',
  description: `At most ${maxWordsBytes} bytes of printable characters without double quotes.`,
} as const;

export const handle = { type: 'integer', minimum: 1, maximum: Number.MAX_SAFE_INTEGER } as const;

export const ipVersion = { type: 'integer', enum: [4, 6] } as const;
