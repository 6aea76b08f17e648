// Parts of the operations' JSON Schemas, for sites and rules. No value can end a word of Apache's configuration or of a shell.

export const site = {
  type: 'string',
  pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$',
  description:
    "The name of the site's folder: 1 to 63 letters, digits, dots, hyphens and underscores; a letter or digit first.",
} as const;

/** ModSecurity Reference Manual v2.x, action `id`: 1 to 99,999 are for local use. */
export const ruleId = {
  type: 'integer',
  minimum: 1,
  maximum: 99_999,
  description: "The rule's number, unique in the site's configuration.",
} as const;

/** SecRuleEngine. */
export const modes = ['On', 'DetectionOnly', 'Off'] as const;
export type Mode = (typeof modes)[number];

const variableNames = [
  ...['ARGS', 'ARGS_GET', 'ARGS_NAMES', 'ARGS_POST', 'FILES', 'FILES_NAMES', 'QUERY_STRING', 'REMOTE_ADDR'],
  ...['REQUEST_BASENAME', 'REQUEST_BODY', 'REQUEST_COOKIES', 'REQUEST_COOKIES_NAMES', 'REQUEST_FILENAME'],
  ...[
    'REQUEST_HEADERS',
    'REQUEST_HEADERS_NAMES',
    'REQUEST_METHOD',
    'REQUEST_PROTOCOL',
    'REQUEST_URI',
    'REQUEST_URI_RAW',
  ],
];

export const variables = {
  type: 'array',
  items: {
    type: 'string',
    pattern: `^(?:${variableNames.join('|')})(?::[A-Za-z0-9_.-]{1,64})?$`,
    description: `One of ${variableNames.join(', ')}, and after a colon the name of a member.`,
  },
  minItems: 1,
  maxItems: 16,
  uniqueItems: true,
  description:
    'The variables to inspect. A colon selects one member of a variable, for example REQUEST_HEADERS:User-Agent.',
} as const;

/** Operators that compare with a text, and those without an operand. */
const comparing = [
  ...['rx', 'contains', 'containsWord', 'streq', 'beginsWith', 'endsWith', 'within', 'pm', 'ipMatch'],
  ...['eq', 'ge', 'gt', 'le', 'lt'],
] as const;
export const alone = ['detectSQLi', 'detectXSS', 'validateUtf8Encoding', 'validateUrlEncoding'] as const;

export const operator = { type: 'string', enum: [...comparing, ...alone], default: 'rx' } as const;

export const pattern = {
  type: 'string',
  minLength: 1,
  maxLength: 1_024,
  pattern: '^[^\\p{C}\\p{Zl}\\p{Zp}]*$',
  description:
    'The operand of the operator, without macros. Not allowed with operators that take none, for example detectSQLi.',
} as const;

export const transformations = {
  type: 'array',
  items: {
    type: 'string',
    enum: [
      ...['base64Decode', 'cmdLine', 'compressWhitespace', 'cssDecode', 'hexDecode', 'htmlEntityDecode', 'jsDecode'],
      ...['length', 'lowercase', 'normalizePath', 'removeNulls', 'removeWhitespace', 'replaceComments', 'trim'],
      ...['urlDecode', 'urlDecodeUni', 'utf8toUnicode'],
    ],
  },
  maxItems: 12,
  uniqueItems: true,
  default: [],
  description: 'The transformations of the variable before the comparison, in order.',
} as const;

export const phase = {
  type: 'integer',
  enum: [1, 2],
  default: 2,
  description: '1: after the request headers; 2: after the request body.',
} as const;

export const action = { type: 'string', enum: ['deny', 'log'], default: 'deny' } as const;

/** The statuses that Apache knows; for others it answers 500. */
export const status = {
  type: 'integer',
  enum: [400, 401, 403, 404, 406, 410, 429, 503],
  description: 'The HTTP status of a denied request. Default: 403.',
} as const;

export const message = {
  type: 'string',
  minLength: 1,
  maxLength: 200,
  pattern: '^[A-Za-z0-9 .,:;()/_-]+$',
  description: 'The text in the log: letters, digits, spaces and . , : ; ( ) / _ -',
} as const;
