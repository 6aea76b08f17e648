// The forms of texts that only some characters may make up, each with its words for a message.

export interface Pattern {
  readonly pattern: string;
  /** What matches. */
  readonly wants: string;
}

/** Control characters, and characters that reorder or hide text, are in no text (platform/graph/fields.ts). */
const otherwise = 'a text without control characters';

/** A token of RFC 9110 section 5.6.2, without quotes and backslashes: the name of a header or cookie. */
export const token = {
  pattern: '^[A-Za-z0-9!#$%&*+.^_|~-]+$',
  wants: 'a name of letters, digits and !#$%&*+.^_|~-',
} as const;

export const printable = {
  pattern: '^[\\x21-\\x7e]([\\x20-\\x7e]*[\\x21-\\x7e])?$',
  wants: 'printable ASCII, without a space at its ends',
} as const;

export const pem = {
  pattern: '^[\\x20-\\x7e\\r\\n]*$',
  wants: 'PEM: printable ASCII and line breaks',
} as const;

export const cipherNames = {
  pattern: '^[A-Z0-9-]+(:[A-Z0-9-]+)*$',
  wants: 'names of ciphers, separated by colons',
} as const;

/** RFC 3986 sections 3.3 and 3.4. */
export const pathAndQuery = {
  pattern: "^/([A-Za-z0-9._~!$&'()*+,;=:@/?-]|%[0-9A-Fa-f]{2})*$",
  wants: 'a path that begins with /, for example /health?full=1',
} as const;

export const webAddress = {
  pattern: "^https?://[A-Za-z0-9.\\[\\]:-]+(/([A-Za-z0-9._~!$&'()*+,;=:@/?#-]|%[0-9A-Fa-f]{2})*)?$",
  wants: 'a URL with http or https and no user, for example https://www.example.com/new',
} as const;

export const statusCodes = {
  pattern: '^[1-5][0-9]{2}(-[1-5][0-9]{2})?(,[1-5][0-9]{2}(-[1-5][0-9]{2})?)*$',
  wants: 'status codes from 100 to 599: a code, a list or a range, for example 200,202 or 200-204',
} as const;

const known: readonly Pattern[] = [token, printable, pem, cipherNames, pathAndQuery, webAddress, statusCodes];

/** Describes in words which text the pattern accepts. */
export function wantsOf(pattern: string): string {
  return known.find((each) => each.pattern === pattern)?.wants ?? otherwise;
}
