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

export const lowerCaseName = {
  pattern: '^[a-z0-9]([a-z0-9-]*[a-z0-9])?$',
  wants: 'a name of lower-case letters, digits and inner hyphens, for example web-1',
} as const;

export const upperCaseName = {
  pattern: '^[A-Z][A-Z0-9_]{0,31}$',
  wants: 'a name of at most 32 capital letters, digits and _ that begins with a letter, for example MY_PLUGIN',
} as const;

export const programName = {
  pattern: '^[a-z][a-z0-9_-]{0,62}$',
  wants: 'the name of a program, without a path: lower-case letters, digits, _ and -, and a letter first',
} as const;

export const programArgument = {
  pattern: '^[^-\\u0000][^\\u0000]*$',
  wants: 'an argument that is not empty and does not begin with -',
} as const;

export const countryCode = {
  pattern: '^[A-Z]{2}$',
  wants: 'a country code of two capital letters (ISO 3166-1 alpha-2), for example DE',
} as const;

export const openStackId = {
  pattern: '^[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}$',
  wants: 'a UUID in lower case, with or without hyphens',
} as const;

export const certificateHash = {
  pattern: '^SHA256:[A-Za-z0-9+/]{43}$',
  wants: 'SHA256: and the hash in base64 without padding, as "ssh-keygen -l" prints it',
} as const;

export const secureAddress = {
  pattern: '^https://[^\\s?#@]+$',
  wants: 'a URL with https and no user, query or fragment, for example https://designate.example.com:9001',
} as const;

export const domainName = {
  pattern: '^(\\.|([A-Za-z0-9_*-]{1,63}\\.)*[A-Za-z0-9_*-]{1,63}\\.?)$',
  wants: 'a domain name, for example www.example.com',
} as const;

export const requestPath = {
  pattern: '^/[\\x21-\\x7e]*$',
  wants: 'a path that begins with /, of printable ASCII without spaces, for example /health?full=1',
} as const;

export const hostHeader = {
  pattern: '^[A-Za-z0-9.:\\[\\]_-]+$',
  wants: 'a host name or an address, with or without a port, for example www.example.com:8080',
} as const;

export const noZone = {
  pattern: '^[^%]*$',
  wants: 'an address without a zone (%eth0), which means something on one machine alone',
} as const;

export const secretText = {
  pattern: '^[!-~]*$',
  wants: 'printable ASCII without spaces',
} as const;

export const objectName = {
  pattern: '^[A-Za-z0-9._-]+$',
  wants: 'a name of letters, digits and ._-',
} as const;

const known: readonly Pattern[] = [
  ...[token, printable, pem, cipherNames, pathAndQuery, webAddress, statusCodes, lowerCaseName, upperCaseName],
  ...[programName, programArgument, countryCode, openStackId, certificateHash, secureAddress, domainName, noZone],
  ...[secretText, objectName, requestPath, hostHeader],
];

/** Describes in words which text the pattern accepts. */
export function wantsOf(pattern: string): string {
  return known.find((each) => each.pattern === pattern)?.wants ?? otherwise;
}
