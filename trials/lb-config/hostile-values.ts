// Values that try to be more than one word of HAProxy's configuration or runtime socket, and values of other types.
import type { JsonValue } from '../../platform/values/json.ts';
import type { Random } from '../random.ts';
import { type Text, textsOf } from '../relay-names/texts.ts';

const pieces = [
  ...[
    "'",
    '"',
    '\\',
    "\\'",
    "'\\''",
    '#',
    ' # ',
    '%',
    '%%',
    '%[src]',
    '%ci',
    '$HOME',
    '"$HOME"',
    '$' + '{HOME}',
    '{ always_true }',
  ],
  ...[' if { always_true }', ' || ', ' ! ', ' unless ', ' -f /etc/passwd', '-f', '-m reg', '--', '-- ', '-i ', ' @1 '],
  ...[')', '(', ',', ',lower', 'a,b', "str('x')", '),lower', ']', '[', '{', '}', '|', '||', '&&', '*', '..', '\\x2c'],
  ...[
    '\nserver evil 192.0.2.66:80',
    '\n  bind :1',
    '\r\nglobal',
    '\r',
    '\n',
    '\t',
    '\u0000',
    '\u0085',
    '\u2028',
    '\u000b',
  ],
  ...[
    ';',
    '\\;',
    '; ',
    ';set server p/canary state maint',
    '\\\\;set server p/canary state maint',
    ';shutdown frontend f',
  ],
  ...[
    '<<',
    ' <<',
    '<<\n',
    ' <<\nset server p/canary state maint\n\n',
    '=>',
    '?',
    '%0a',
    '%0d%0a',
    '%00',
    '+',
    '~',
    '^',
    ':',
  ],
  ...[
    '1 verify none',
    ' backup',
    ' disabled',
    ' ssl',
    ' check',
    ' id 1',
    ' source 192.0.2.66',
    'unix@/tmp/x',
    'fd@3',
    'ipv4@',
    'abns@x',
  ],
  ...[
    '@system-ca',
    '/etc/passwd',
    '../../haproxy.cfg',
    'localhost',
    '::1%lo',
    '127.0.0.1:22',
    '0x7f.1',
    '169.254.169.254',
  ],
  ...[
    'a{2000}',
    '(a{99}){99}',
    '(?#',
    '(?P<a>',
    '(*UTF)',
    '\\Q',
    '\\p{L}',
    '[[:alpha:]]',
    '[[:x:]]',
    '(?<=a+)b',
    '\\1',
    '(a',
    'a)',
    '[z-a]',
    '\\c',
    '\\x',
    '{,3}',
  ],
  ...['300-200', '200-', '99', '600', '2xx', 'ALL', 'aNULL', '!MD5', '+AES', '@STRENGTH', 'TLS_AES_128_GCM_SHA256'],
];

const others: readonly JsonValue[] = [
  ...[
    0,
    -1,
    1.5,
    2 ** 31,
    65_536,
    true,
    false,
    {},
    [],
    [[]],
    ['a b'],
    ['10.0.0.0/8\n0.0.0.0/0'],
    { type: "'" },
    { type: 'HTTP_COOKIE', cookieName: 'a b' },
  ],
  ...['HTTP\nx', 'TCP ', 'http', '', ' ', ['X_FORWARDED_FOR', 'X'], ['TLS_1_2', 'SSLv3'], '1e3', '0x10', '8080 ssl'],
];

/** Many more than are needed of each kind. Deterministic for the same randomness. */
export class HostileValues {
  readonly #random: Random;
  #texts: Generator<Text>;

  constructor(random: Random) {
    this.#random = random;
    this.#texts = textsOf(random, Number.MAX_SAFE_INTEGER);
  }

  /** For a field with `plain`, some of them are valid values with something inserted. */
  next(plain: JsonValue): JsonValue {
    const random = this.#random;
    const chance = random.next();
    if (chance < 0.1) return random.pick(others);
    const listed = Array.isArray(plain);
    const text = chance < 0.4 ? this.#hostile() : this.#spoiled(listed ? (plain[0] ?? '') : plain);
    return listed && random.next() < 0.9 ? [text] : text;
  }

  #hostile(): string {
    const random = this.#random;
    if (random.next() < 0.4) return this.#texts.next().value?.text ?? '';
    return Array.from({ length: random.integer(1, 5) }, () => random.pick(pieces)).join('');
  }

  /** A fragment at some position in a valid text. */
  #spoiled(plain: JsonValue): string {
    const random = this.#random;
    const text = typeof plain === 'string' ? plain : JSON.stringify(plain);
    const at = random.integer(0, text.length);
    const end = random.next() < 0.3 ? random.integer(at, Math.min(text.length, at + 5)) : at;
    return `${text.slice(0, at)}${random.pick(pieces)}${text.slice(end)}`;
  }
}
