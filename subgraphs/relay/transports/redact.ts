// Removes a backend's own secrets from its output. Devices quote their input (a failed login, a header, a command line), and their
// output is kept in the journal, shown, and streamed. A driver reads the original reply, so it sees everything. The driver's result
// passes through here before anybody else sees it.
import { isSecretName } from '../../../platform/values/secret-names.ts';
import type { Credentials } from '../drivers/driver.ts';

export interface Redactor {
  /** A text, with each secret in it replaced. Must come before the text is cut. */
  text(text: string): string;
  /** Like `text`, for every string in a JSON value, including the names of members. */
  value<Value>(value: Value): Value;
  /** Adds the tokens and cookies of a login. Keeps the secrets of the last few logins. */
  learn(secrets: readonly string[]): void;
}

const mark = '•••';
/**
 * Anything shorter is part of too many words: the gaps would reveal more than the secret. A device with such a
 * password has no redaction.
 */
const shortestChars = 4;
/** Shortest line of a PEM file that is replaced; the last one may be shorter. */
const shortestPemLineChars = 16;
const deepest = 64;
/** A reply to a call of an earlier session may arrive after the next login. */
const knownLogins = 4;
/** A shorter cookie (a version, a language) is not a secret. */
const shortestTokenChars = 12;

/**
 * For one backend; made once for its credentials. The account's name and certificates are not secret. Also for the secret arguments
 * of a call. `further`: secrets without a name.
 */
export function createRedactor(
  credentials: Partial<Credentials> | Readonly<Record<string, string>>,
  further: readonly string[] = [],
): Redactor {
  const { privateKey = '', ...others } = credentials as Readonly<Record<string, string>>;
  const secrets = Object.entries(others).filter(([name]) => isSecretName(name));
  const given = [...secrets.map(([, word]) => word), ...further].filter(isHidable);
  const learned: (readonly string[])[] = [];
  const fixed = [...given.flatMap(formsOf), ...linesOf(privateKey)];
  let words = given;
  let forms = longestFirst(fixed);
  let patterns = patternsOf(given);
  const hide = (text: string) => {
    const hidden = patterns.reduce((rest, pattern) => rest.replace(pattern, mark), text);
    return forms.reduce((rest, form) => (rest.includes(form) ? rest.replaceAll(form, mark) : rest), hidden);
  };
  const text = (shown: string) => withoutCutEnd(hide(shown), words);
  const clean = (value: unknown, depth: number): unknown => {
    if (typeof value === 'string') return hide(value);
    if (typeof value !== 'object' || value === null) return value;
    if (depth >= deepest) return mark;
    if (Array.isArray(value)) return value.map((item) => clean(item, depth + 1));
    return Object.fromEntries(Object.entries(value).map(([name, member]) => [hide(name), clean(member, depth + 1)]));
  };
  return {
    text,
    value<Value>(value: Value): Value {
      return clean(value, 0) as Value;
    },
    learn(fresh) {
      learned.unshift(fresh);
      learned.splice(knownLogins);
      words = [...given, ...learned.flat()];
      forms = longestFirst([...fixed, ...learned.flat().flatMap(formsOf)]);
      patterns = patternsOf(words);
    },
  };
}

/** The secrets in the headers that a session adds to each call: a whole value, or a value in a list of cookies. */
export function sessionSecrets(session: {
  readonly headers: Readonly<Record<string, string>>;
  readonly writeHeaders?: Readonly<Record<string, string>>;
}): string[] {
  const values = [session.headers, session.writeHeaders ?? {}].flatMap((headers) => Object.values(headers));
  const parts = values.flatMap((value) => value.split(/[;,\s]+/));
  // With and without the name of a cookie: a token itself may contain `=` at its end.
  const all = parts.flatMap((part) => [part, part.slice(part.indexOf('=') + 1)]);
  return [...new Set(all.map((part) => part.replace(/^"(.+)"$/, '$1')))].filter(
    (part) => part.length >= shortestTokenChars,
  );
}

/** A form may be part of another. */
function longestFirst(forms: readonly string[]): string[] {
  return [...new Set(forms)].sort((a, b) => b.length - a.length);
}

function isHidable(word: string): boolean {
  return word.length >= shortestChars;
}

/** The lines of a private key: it is never sent, but may be copied. */
function linesOf(pem: string): string[] {
  const lines = pem.split(/\r?\n/).map((line) => line.trim());
  return lines.filter((line) => !line.startsWith('-----') && line.length >= shortestPemLineChars);
}

/** Other encodings of the secret's bytes. `patternOf` has the ways in which its characters may be written. */
function formsOf(secret: string): string[] {
  const bytes = Buffer.from(secret, 'utf8');
  const hex = bytes.toString('hex');
  const base64 = [0, 1, 2].map((offset) => base64Inside(bytes, offset)).filter(isHidable);
  const inUrls = [encodeURIComponent(secret.toWellFormed()), new URLSearchParams({ '': secret }).toString().slice(1)];
  return [
    secret,
    ...inUrls,
    ...inUrls.map((form) => form.replace(/%../g, (code) => code.toLowerCase())),
    hex,
    hex.toUpperCase(),
    ...base64,
    ...base64.map((form) => form.replaceAll('+', '-').replaceAll('/', '_')),
  ];
}

function patternsOf(secrets: readonly string[]): RegExp[] {
  const texts = secrets.map((secret) => secret.trim()).filter((text) => text !== '');
  return longestFirst(texts).map(patternOf);
}

/**
 * The secret as a text, however protocols, error pages and log lines write its characters: as they are, with backslashes, in
 * URLs and forms, in markup, in JSON of any language. White space may be fewer or more than it was.
 *
 * The secret and the text may come from one person, and a search that tries many ways to read the same text would block the
 * process. So no text can be read in two ways for long: a run of backslashes is one part, the character after it has no backslashes
 * of its own, and white space is not written with the character that follows it. `formsOf` has the forms that this leaves out.
 */
function patternOf(secret: string): RegExp {
  const parts = [...secret.matchAll(/\s+|\\+|[^\s\\]/gu)].map(([part]) => part);
  const source = parts.map((part, index) => {
    if (/^\s/u.test(part)) return `(?:${spaceBefore(parts[index + 1])}){1,${part.length}}`;
    // Within a run the search would begin again at each backslash.
    if (part.startsWith('\\')) return `${index === 0 ? '(?<!\\\\)' : ''}${backslashesOf(part.length)}`;
    return writingsOf(part, parts[index - 1]?.startsWith('\\') === true);
  });
  return new RegExp(source.join(''), 'g');
}

const blanks = [
  ['+', '\\+'],
  ['%', '%20'],
  ['&', '&nbsp;|&#160;|&#32;'],
] as const;

/** Each way to write a blank begins with a character of its own. */
function spaceBefore(next: string | undefined): string {
  return ['\\s', ...blanks.flatMap(([first, writing]) => (next === first ? [] : [writing]))].join('|');
}

/** All of them in one way. Each may be doubled several times. */
function backslashesOf(count: number): string {
  const others = ['%5[cC]', '&#0{0,6}92;', '&#[xX]0{0,6}5[cC];', '\\\\{1,8}u005[cC]', '\\\\{1,8}x5[cC]'];
  return `(?:\\\\{${count},}|${others.map((one) => `(?:${one}){${count}}`).join('|')})`;
}

/** Letters and digits are written as they are. `isAfterBackslashes`: the run before it has all backslashes. */
function writingsOf(character: string, isAfterBackslashes: boolean): string {
  if (/^[A-Za-z0-9]$/.test(character)) return character;
  const code = character.codePointAt(0) ?? 0;
  const hexOf = (number: number, digits: number) => anyCase(number.toString(16).padStart(digits, '0'));
  const units = Array.from({ length: character.length }, (_, index) => character.charCodeAt(index));
  const [may, must] = isAfterBackslashes ? ['', ''] : ['\\\\{0,8}', '\\\\{1,8}'];
  const writings = [
    `${may}${character.replace(/[$()*+.?[\]^{|}/-]/, '\\$&')}`,
    [...Buffer.from(character, 'utf8')].map((byte) => `%${hexOf(byte, 2)}`).join(''),
    `&#0{0,6}${code};`,
    `&#[xX]0{0,6}${hexOf(code, 1)};`,
    ...(names[character] ?? []).map((name) => `&${name};`),
    units.map((unit, index) => `${index === 0 ? must : '\\\\{1,8}'}u${hexOf(unit, 4)}`).join(''),
    ...(code < 256 ? [`${must}x${hexOf(code, 2)}`] : []),
  ];
  return `(?:${writings.join('|')})`;
}

const names: Readonly<Record<string, readonly string[]>> = {
  '&': ['amp'],
  '<': ['lt'],
  '>': ['gt'],
  '"': ['quot'],
  "'": ['apos'],
};

function anyCase(hex: string): string {
  return hex.replace(/[a-f]/g, (letter) => `[${letter}${letter.toUpperCase()}]`);
}

/**
 * RFC 4648: the characters of the base64 of a longer text that are certain when the secret begins at a byte `offset` past a
 * multiple of three, that is, those without a bit of the surrounding text.
 */
function base64Inside(bytes: Buffer, offset: number): string {
  const coded = Buffer.concat([Buffer.alloc(offset), bytes])
    .toString('base64')
    .replace(/=+$/, '');
  const begin = Math.ceil((offset * 8) / 6);
  const end = Math.floor(((offset + bytes.length) * 8) / 6);
  return coded.slice(begin, end);
}

/** Drivers and buffers cut long texts: the first half of a secret, or more, at the very end is removed too. */
function withoutCutEnd(text: string, secrets: readonly string[]): string {
  for (const secret of secrets) {
    const least = Math.max(shortestChars, Math.ceil(secret.length / 2));
    for (let length = secret.length - 1; length >= least; length -= 1)
      if (text.endsWith(secret.slice(0, length))) return `${text.slice(0, -length)}${mark}`;
  }
  return text;
}
