// Converts OVSDB's JSON forms of values (RFC 7047 section 5.1) to plain ones and back. Reading never throws: unexpected forms are
// read as empty.

import type { JsonValue } from '../driver.ts';

/** A set of one is written as the value alone. */
export function setOf(value: JsonValue | undefined): readonly JsonValue[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value) || value[0] !== 'set') return [value];
  return Array.isArray(value[1]) ? value[1] : [];
}

/** An optional value. */
export function optional(value: JsonValue | undefined): JsonValue {
  return setOf(value)[0] ?? null;
}

export function uuidOf(value: JsonValue | undefined): string | undefined {
  return Array.isArray(value) && value[0] === 'uuid' && typeof value[1] === 'string' ? value[1] : undefined;
}

export function mapOf(value: JsonValue | undefined): Readonly<Record<string, string>> {
  const pairs = Array.isArray(value) && value[0] === 'map' && Array.isArray(value[1]) ? value[1] : [];
  return Object.fromEntries(pairs.filter(Array.isArray).map((pair) => [String(pair[0]), String(pair[1])]));
}

export const set = (values: readonly JsonValue[]): JsonValue => ['set', values];
export const map = (entries: Readonly<Record<string, string>>): JsonValue => ['map', Object.entries(entries)];
export const uuid = (id: string): JsonValue => ['uuid', id];
/** The row that an `insert` of the same transaction makes (section 5.2.1). */
export const namedUuid = (name: string): JsonValue => ['named-uuid', name];
