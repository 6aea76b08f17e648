// Parts of the operations' JSON Schemas. Names have no special meaning in a URL or in a filter, and no URL of one can be read as
// the table's, whose DELETE empties it: `.` and `..` are not names.

import type { JsonObject } from '../driver.ts';

/** FortiOS stores 255 characters of most comments, and the mark takes up 40 characters. */
const maxWordsChars = 200;

/** FortiOS accepts more, but not < > ( ) # ' ", and an object with a slash can be made but not addressed (fortigate-api#20). */
const namePattern = '^[A-Za-z0-9_](?:[A-Za-z0-9 ._-]*[A-Za-z0-9._-])?$';

export function nameOf(maxLength: number, description: string): JsonObject {
  const allowed =
    'letters, digits, spaces, dots, hyphens and underscores. It begins with a letter, digit or underscore and does not end with a space';
  return {
    type: 'string',
    minLength: 1,
    maxLength,
    pattern: namePattern,
    description: `${description} 1 to ${maxLength} ${allowed}.`,
  };
}

/** 11 characters unless the device has `long-vdom-name`. */
export const vdomName = {
  type: 'string',
  minLength: 1,
  maxLength: 31,
  pattern: '^[A-Za-z0-9_][A-Za-z0-9_.-]*$',
  description: 'The name of a virtual domain: letters, digits, dots, hyphens and underscores.',
} as const;

export const vdom = { ...vdomName, default: 'root' } as const;

/** Names of existing objects, in any order. */
export function namesOf(what: string): JsonObject {
  return {
    type: 'array',
    items: nameOf(79, what),
    minItems: 1,
    maxItems: 300,
    uniqueItems: true,
  };
}

export const comment = {
  type: 'string',
  maxLength: maxWordsChars,
  // Unicode's control characters, and characters that reorder or hide text; characters that FortiOS treats as an attack on its
  // web pages.
  pattern: '^[^"\\\\<>\\p{C}\\p{Zl}\\p{Zp}]*$',
  description: `At most ${maxWordsChars} printable characters. The device stores it after the mark of the call.`,
} as const;

export const page = {
  start: { type: 'integer', minimum: 0, maximum: 1_000_000, default: 0, description: 'The number to skip.' },
  count: { type: 'integer', minimum: 1, maximum: 1_000, default: 500, description: 'The maximum number to return.' },
} as const;
