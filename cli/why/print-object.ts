// Prints an object: its state, its relations on one line each, and its children in tables.
import { isObject, type JsonObject, type JsonValue } from '../../platform/values/json.ts';
import type { Printer } from '../printer.ts';
import { whyFields } from './fields.ts';

interface Shown {
  readonly id: string;
  readonly type: string;
  readonly name: string | null;
  readonly object: JsonObject;
}

export async function printObject(printer: Printer, { id, type, name, object }: Shown): Promise<void> {
  const { state = [] } = whyFields[type] ?? {};
  await printer.pairs([
    ['Kind', type],
    ['Name', name],
    ['Id', id],
    ...state.map((field) => [titleOf(field), textOf(object[field])] as const),
    ...partsOf(object),
  ]);
  for (const [field, rows] of listsOf(object)) {
    const fields = Object.keys(rows[0] ?? {});
    await printer.section(
      fields.map((each, at) => (at === 0 ? wordsOf(field) : wordsOf(each)).toUpperCase()),
      rows.map((row) => fields.map((each) => textOf(row[each]) ?? '-')),
    );
  }
}

/** Health: checked at …, message …. Null if there is nothing to report. */
function partsOf(object: JsonObject): (readonly [string, string | null])[] {
  return Object.entries(object).flatMap(([field, value]) => {
    if (!isObject(value) || Array.isArray(value.nodes)) return [];
    const parts = Object.entries(value)
      .filter(([name, each]) => name !== 'id' && each !== null)
      .map(([name, each]) => `${wordsOf(name)} ${textOf(each)}`);
    return [[titleOf(field), parts.join(', ')] as const];
  });
}

function listsOf(object: JsonObject): (readonly [string, readonly JsonObject[]])[] {
  return Object.entries(object).flatMap(([field, value]) => {
    const listed = isObject(value) ? value.nodes : value;
    const rows = Array.isArray(listed) ? (listed as readonly JsonValue[]).filter(isObject) : [];
    return rows.length === 0 ? [] : [[field, rows] as const];
  });
}

function textOf(value: JsonValue | undefined): string | null {
  if (value === null || value === undefined) return null;
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

/** `operatingStatus`: operating status. */
function wordsOf(field: string): string {
  return field.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

function titleOf(field: string): string {
  const words = wordsOf(field);
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}`;
}
