// Test tables as text: one row per line, with cells between bars. A row is data, and the suite that reads it has the
// logic.
import { parse } from 'yaml';

/** Values that rows refer to: `$NAME` for a whole value, `<NAME>` within a GraphQL document. */
export type Names = Readonly<Record<string, unknown>>;

/** Lines that begin with `#` are comments. */
export function rowsOf(text: string): readonly (readonly string[])[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.split(/(?<=\s)\|(?=\s|$)/).map((cell) => cell.trim()));
}

/** The value of a cell, in YAML. */
export function cellValue(cell: string, names: Names): unknown {
  return filled(parse(cell), names);
}

function filled(value: unknown, names: Names): unknown {
  if (typeof value === 'string') return value.startsWith('$') ? named(value.slice(1), names) : value;
  if (Array.isArray(value)) return value.map((each) => filled(each, names));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([field, each]) => [field, filled(each, names)]));
}

/** A document with the names as GraphQL literals. */
export function documentOf(cell: string, names: Names): string {
  return cell.replaceAll(/<(\w+)>/g, (_, name: string) => JSON.stringify(named(name, names)));
}

function named(name: string, names: Names): unknown {
  if (!(name in names)) throw new Error(`a row names ${name}, which the test does not give`);
  return names[name];
}
