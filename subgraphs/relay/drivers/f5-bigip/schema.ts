// Parts of the operations' JSON Schemas. Names are letters, digits, dots, hyphens and underscores: enough for the device, and
// without special meaning in a URL, in a filter or to tmsh.

const namePattern = '[A-Za-z0-9._-]{1,63}';

export const name = {
  type: 'string',
  maxLength: 63,
  pattern: `^${namePattern}$`,
  description:
    '1 to 63 letters, digits, dots, hyphens and underscores. The device requires a letter or underscore first.',
} as const;

export const partition = { ...name, default: 'Common', description: 'The administrative partition.' } as const;

export const reference = {
  type: 'string',
  maxLength: 128,
  pattern: `^(/${namePattern}/)?${namePattern}$`,
  description: 'A full path (/Partition/name) or the name of an object in Common.',
} as const;

export const address = { type: 'string', format: 'address', maxLength: 45 } as const;

export const port = { type: 'integer', minimum: 1, maximum: 65_535 } as const;

export const count = { type: 'integer', minimum: 0, maximum: 2_147_483_647 } as const;

export const comment = {
  type: 'string',
  maxLength: 200,
  // Unicode's control characters, and characters that reorder or hide text; quotes and backslashes would be escaped in the saved
  // configuration.
  pattern: '^[^"\\\\\\p{C}\\p{Zl}\\p{Zp}]*$',
  description: "Free text, stored in the object's description after the mark of the call.",
} as const;

/** In the form of the policy list: 22 letters, digits, hyphens, underscores. */
export const policyId = {
  type: 'string',
  maxLength: 22,
  pattern: '^[A-Za-z0-9_-]{22}$',
  description: "The policy's id, a hash, as asmPolicy.list returns it.",
} as const;
