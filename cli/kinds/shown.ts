// Objects of any kind as text: cells of a table, and pairs of a name and a value.
import { isObject, type JsonObject, type JsonValue } from '../../platform/values/json.ts';
import { type Kind, kebab, type OutputField } from '../../schema/kinds/kind.ts';
import { titleOf } from '../../schema/kinds/words.ts';
import type { Columns } from '../printer.ts';
import { kindOf, nameOf } from './find-object.ts';

/** Null if there is no value. */
function textOf(field: OutputField, value: JsonValue | undefined): string | null {
  if (value === null || value === undefined) return null;
  if (Array.isArray(value)) {
    const texts = value.map((each: JsonValue) => textOf({ ...field }, each) ?? '-');
    return texts.join(field.fields === undefined ? ', ' : '; ');
  }
  if (!isObject(value)) return String(value);
  if (field.refersTo !== undefined) return nameOf(kindOf(field.refersTo), value);
  if (field.fields === undefined && field.variants === undefined) return JSON.stringify(value);
  const parts = membersOf(field, value).map(([member, each]) => `${kebab(member.name)}=${textOf(member, each) ?? ''}`);
  return parts.join(' ');
}

function membersOf({ fields, variants }: OutputField, value: JsonObject): (readonly [OutputField, JsonValue])[] {
  const variant = variants?.find(({ type }) => type === value.__typename);
  const known = fields ?? variant?.fields ?? [];
  return known.flatMap((field) => {
    const each = value[field.name];
    return each === null || each === undefined || (Array.isArray(each) && each.length === 0) ? [] : [[field, each]];
  });
}

export function columnsOf(kind: Kind): Columns<JsonObject> {
  const columns = kind.columns.flatMap((name) => kind.output.filter((field) => field.name === name));
  return Object.fromEntries(
    columns.map((field) => [
      kebab(field.name).replaceAll('-', ' ').toUpperCase(),
      (row: JsonObject) => textOf(field, row[field.name]) || null,
    ]),
  );
}

export function pairsOf(kind: Kind, object: JsonObject): (readonly [string, string | null])[] {
  const last = ['version', 'createdAt', 'updatedAt'];
  const shown = kind.output.filter(({ name }) => !last.includes(name));
  return [...shown, ...kind.output.filter(({ name }) => last.includes(name))].map((field) => [
    titleOf(field.name),
    textOf(field, object[field.name]),
  ]);
}
