// Takes a backend's own secrets out of what it says. Devices quote what they were told: a log-in that failed, a header, a
// command line; and what they say is kept in the journal, shown, and streamed. A driver reads the reply as it came, so that
// no word of it is lost to it; what it makes of it goes through here before anybody else sees it.
import { isSecretName } from '../../../platform/secrets/secret-names.ts';
import type { Credentials } from '../drivers/driver.ts';

export interface Redactor {
  /** A text, with each secret in it replaced. Must come before the text is cut. */
  text(text: string): string;
  /** As `text`, for every string in a JSON value, names of members too. */
  value<Value>(value: Value): Value;
}

const mark = '•••';
/**
 * Anything shorter is part of too many words: the gaps would say more than the secret. A device that was given such a
 * password has none.
 */
const shortestChars = 4;
/** The line of a PEM file that is worth hiding; the last one may be shorter. */
const shortestPemLineChars = 16;
const deepest = 64;

/** For one backend; made once for its credentials. The account's name and certificates may be seen. */
export function createRedactor(credentials: Partial<Credentials>): Redactor {
  const { privateKey = '', ...others } = credentials;
  const secrets = Object.entries(others).filter(([name]) => isSecretName(name));
  const words = secrets.map(([, word]) => word).filter(isHidable);
  // The longest first: a form may be part of another.
  const forms = [...new Set([...words.flatMap(formsOf), ...linesOf(privateKey)])].sort((a, b) => b.length - a.length);
  const hide = (text: string) =>
    forms.reduce((hidden, form) => (hidden.includes(form) ? hidden.replaceAll(form, mark) : hidden), text);
  const text = (given: string) => withoutCutEnd(hide(given), words);
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
  };
}

function isHidable(word: string): boolean {
  return word.length >= shortestChars;
}

/** A private key as it is written: nobody is ever told it, but it may be copied. */
function linesOf(pem: string): string[] {
  const lines = pem.split(/\r?\n/).map((line) => line.trim());
  return lines.filter((line) => !line.startsWith('-----') && line.length >= shortestPemLineChars);
}

/** How a secret may come back: as it is, or as one of the encodings that protocols and error pages put it into. */
function formsOf(secret: string): string[] {
  const bytes = Buffer.from(secret, 'utf8');
  const url = encodeURIComponent(secret);
  const hex = bytes.toString('hex');
  const base64 = [0, 1, 2].map((offset) => base64Inside(bytes, offset)).filter(isHidable);
  return [
    secret,
    JSON.stringify(secret).slice(1, -1),
    url,
    // encodeURIComponent leaves these; form encoding (WHATWG URL, application/x-www-form-urlencoded) does not.
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
 * RFC 4648: what of the base64 of a longer text is certain when the secret begins at a byte that is `offset` past a multiple
 * of three: the characters that have no bit of what is around it.
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

/** Drivers and buffers cut long texts: the first half of a secret, or more, at the very end goes too. */
function withoutCutEnd(text: string, secrets: readonly string[]): string {
  for (const secret of secrets) {
    const least = Math.max(shortestChars, Math.ceil(secret.length / 2));
    for (let length = secret.length - 1; length >= least; length -= 1)
      if (text.endsWith(secret.slice(0, length))) return `${text.slice(0, -length)}${mark}`;
  }
  return text;
}
