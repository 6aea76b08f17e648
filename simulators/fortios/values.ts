// Values of attributes: from a request's JSON and from words of the command line to the database's form, and back.

import { isIPv4 } from 'node:net';
import { BAD_VALUE, CmdbError, XSS_CHARACTERS } from './errors.ts';
import type { Attribute, Table } from './tables.ts';

/** Lists contain names, or ranges of addresses. */
export type Value = string | number | readonly string[];
export type Entry = Readonly<Record<string, Value>>;

export function defaultOf(attribute: Attribute): Value {
  return attribute.kind === 'references' || attribute.kind === 'ranges' ? [] : attribute.default;
}

/** The member in a list's JSON objects. */
export function memberKey(attribute: Attribute): 'name' | 'range' {
  return attribute.kind === 'ranges' ? 'range' : 'name';
}

/** A request's JSON value. */
export function fromJson(name: string, attribute: Attribute, json: unknown): Value {
  if (attribute.kind === 'references' || attribute.kind === 'ranges') {
    if (!Array.isArray(json)) throw badValue(name, String(json));
    const key = memberKey(attribute);
    return json.map((item: unknown) => {
      const member = typeof item === 'object' && item !== null ? (item as Record<string, unknown>)[key] : undefined;
      if (typeof member !== 'string') throw badValue(name, JSON.stringify(item));
      return attribute.kind === 'ranges' ? checkRange(name, member) : member;
    });
  }
  if (typeof json !== 'string' && typeof json !== 'number') throw badValue(name, JSON.stringify(json) ?? 'undefined');
  return fromText(name, attribute, String(json));
}

/** The words after `set <name>` on the command line. */
export function fromWords(name: string, attribute: Attribute, words: readonly string[]): Value {
  if (attribute.kind === 'references') return [...words];
  if (attribute.kind === 'ranges') return words.map((word) => checkRange(name, word));
  return fromText(name, attribute, words.join(' '));
}

/** An entry's key, from the path, the request or after `edit`. */
export function checkKey(table: Table, text: string): string {
  if (table.keyKind === 'number') {
    if (!/^\d{1,10}$/.test(text) || Number(text) > table.keyMax) throw badValue(table.key, text);
    return String(Number(text));
  }
  // FortiOS 7.4 CLI reference, chapter "Using the CLI": < > ( ) # ' " are not allowed in names.
  if (/[<>()#'"]/.test(text)) {
    throw new CmdbError(XSS_CHARACTERS, 'The string contains XSS vulnerability characters');
  }
  if (text === '' || text.length > table.keyMax || hasControl(text)) throw badValue(table.key, text);
  return text;
}

function fromText(name: string, attribute: Exclude<Attribute, { kind: 'references' | 'ranges' }>, text: string): Value {
  switch (attribute.kind) {
    case 'string':
      // A comment may have several lines.
      if (text.length > attribute.max || hasControl(text.replaceAll('\n', ''))) throw badValue(name, text);
      return text;
    case 'reference':
      return text;
    case 'integer': {
      const number = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
      if (!(number >= attribute.min && number <= attribute.max)) throw badValue(name, text);
      return number;
    }
    case 'option':
      if (!attribute.values.includes(text)) throw badValue(name, text);
      return text;
    case 'ip':
      if (!isIPv4(text)) throw badValue(name, text);
      return text;
    case 'subnet':
      return toSubnet(name, text, name === 'wildcard');
  }
}

/** From `a.b.c.d m.m.m.m` or `a.b.c.d/n`; bits outside the mask are cleared, except for wildcards. */
function toSubnet(name: string, text: string, isWildcard: boolean): string {
  const [address = '', mask = ''] = text.split(/[ /]/);
  const bits = mask.includes('.') || !/^\d{1,2}$/.test(mask) ? numberOf(mask) : maskOf(Number(mask));
  const number = numberOf(address);
  if (number === undefined || bits === undefined) throw badValue(name, text);
  if (isWildcard) return `${address} ${textOf(bits)}`;
  if (!/^1*0*$/.test(bits.toString(2).padStart(32, '0'))) throw badValue(name, text);
  return `${textOf((number & bits) >>> 0)} ${textOf(bits)}`;
}

function checkRange(name: string, text: string): string {
  const [first = '', last = first, ...others] = text.split('-');
  const [from, to] = [numberOf(first), numberOf(last)];
  if (from === undefined || to === undefined || from > to || others.length > 0) throw badValue(name, text);
  return text;
}

export function numberOf(address: string): number | undefined {
  if (!isIPv4(address)) return undefined;
  return address.split('.').reduce((number, part) => number * 256 + Number(part), 0);
}

function maskOf(length: number): number | undefined {
  return length > 32 ? undefined : length === 0 ? 0 : (0xffffffff << (32 - length)) >>> 0;
}

function textOf(number: number): string {
  return [24, 16, 8, 0].map((shift) => (number >>> shift) & 0xff).join('.');
}

function hasControl(text: string): boolean {
  return /\p{Cc}/u.test(text);
}

function badValue(name: string, text: string): CmdbError {
  return new CmdbError(BAD_VALUE, `node_check_object fail! for ${name} ${text}`);
}
