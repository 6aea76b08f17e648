// Removes a backend's own secrets from its output. Devices quote their input (a failed login, a header, a command line), and
// their output is kept in the journal, shown, and streamed. A driver reads the original reply, so that no part of it is lost to
// it; the driver's result passes through here before anybody else sees it.
import { isSecretName } from '../../../platform/secrets/secret-names.ts';
import type { Credentials } from '../drivers/driver.ts';

export interface Redactor {
  /** A text, with each secret in it replaced. Must come before the text is cut. */
  text(text: string): string;
  /** Like `text`, for every string in a JSON value, including the names of members. */
  value<Value>(value: Value): Value;
  /** Adds the tokens and cookies of a login. Those of the last few logins are kept. */
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

/** For one backend; made once for its credentials. The account's name and certificates are not secret. */
export function createRedactor(credentials: Partial<Credentials>): Redactor {
  const { privateKey = '', ...others } = credentials;
  const secrets = Object.entries(others).filter(([name]) => isSecretName(name));
  const given = secrets.map(([, word]) => word).filter(isHidable);
  const learned: (readonly string[])[] = [];
  const fixed = [...given.flatMap(formsOf), ...linesOf(privateKey)];
  let words = given;
  let forms = longestFirst(fixed);
  const hide = (text: string) =>
    forms.reduce((hidden, form) => (hidden.includes(form) ? hidden.replaceAll(form, mark) : hidden), text);
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
      return (forms.length === 0 ? value : clean(value, 0)) as Value;
    },
    learn(fresh) {
      learned.unshift(fresh);
      learned.splice(knownLogins);
      words = [...given, ...learned.flat()];
      forms = longestFirst([...fixed, ...learned.flat().flatMap(formsOf)]);
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

/** The forms in which a secret may be returned: unchanged, or in one of the encodings of protocols and error pages. */
function formsOf(secret: string): string[] {
  const bytes = Buffer.from(secret, 'utf8');
  const url = encodeURIComponent(secret);
  const hex = bytes.toString('hex');
  const base64 = [0, 1, 2].map((offset) => base64Inside(bytes, offset)).filter(isHidable);
  return [
    secret,
    JSON.stringify(secret).slice(1, -1),
    url,
    // encodeURIComponent does not encode these; form encoding (WHATWG URL, application/x-www-form-urlencoded) does.
    url.replace(/[!'()~*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`),
    new URLSearchParams({ s: secret }).toString().slice(2),
    url.replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase()),
    escapeMarkup(secret),
    hex,
    hex.toUpperCase(),
    ...base64,
    ...base64.map((form) => form.replaceAll('+', '-').replaceAll('/', '_')),
  ];
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

function escapeMarkup(text: string): string {
  const names: Readonly<Record<string, string>> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
    "'": '&#39;',
  };
  return text.replace(/[&<>"']/g, (char) => names[char] ?? char);
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
