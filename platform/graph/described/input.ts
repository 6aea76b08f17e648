// The settings of a described kind in the input of a mutation: ids become UUIDs, and faults name the input's own fields.
import type { InputCheck } from '../../input/input.ts';
import type { SchemaFault } from '../../input/json-schema.ts';
import type { JsonObject, JsonValue } from '../../values/json.ts';
import type { DescribedField, DescribedKind } from './kind.ts';
import { wantsOf } from './patterns.ts';
import { idFieldOf } from './text.ts';

/** The fields that were given, by the names of the spec. A null is kept: it asks for the default. Adds a fault for each id of another type. */
export function givenFields(kind: DescribedKind, input: object, check: InputCheck): JsonObject {
  const values = input as Readonly<Record<string, JsonValue | undefined>>;
  const given: Record<string, JsonValue> = {};
  for (const [name, field] of Object.entries(kind.fields)) {
    const { refersTo } = field;
    const inputName = refersTo === undefined ? name : idFieldOf(name, field);
    const value = values[inputName];
    if (value === undefined) continue;
    given[name] = refersTo === undefined || value === null ? value : uuidsOf(check, inputName, value, refersTo);
  }
  return given;
}

function uuidsOf(check: InputCheck, field: string, value: JsonValue, type: string): JsonValue {
  if (Array.isArray(value)) return value.map((id, at) => check.id(`${field}.${at}`, String(id), type) ?? '');
  return check.id(field, String(value), type) ?? '';
}

/**
 * `at`: the path of the object in the input, empty for the input itself. `isById`: whether the input has ids where the spec has
 * references.
 */
export function addFaults(
  check: InputCheck,
  kind: DescribedKind,
  given: JsonObject,
  faults: readonly SchemaFault[],
  at: readonly string[] = [],
  isById: (field: DescribedField) => boolean = () => true,
): void {
  for (const { path, message, tooLong } of faults) {
    const [first, ...rest] = path;
    const field = first === undefined ? undefined : kind.fields[first];
    const shownFirst =
      first !== undefined && field?.refersTo !== undefined && isById(field) ? idFieldOf(first, field) : first;
    const shown = [...at, ...(shownFirst === undefined ? [] : [shownFirst]), ...rest].join('.');
    const code = tooLong === true ? 'TOO_LONG' : 'INVALID_INPUT';
    check.fault(shown, sentence(shown, valueAt(given, path), message), code);
  }
}

function sentence(field: string, value: JsonValue | undefined, fault: string): string {
  const shown = JSON.stringify(value)?.slice(0, 80);
  const message = inWords(fault);
  return message.startsWith('must') && shown !== undefined
    ? `${field} is ${shown}; it ${message}`
    : `${field} ${message}`;
}

const formats: Readonly<Record<string, string>> = {
  host: 'a host name or an IP address',
  'address-block': 'an IP address or block without host bits, for example 203.0.113.0/24',
  'cidr-block': 'a block without host bits, for example 203.0.113.0/24',
};

/** The validator's own sentences in ours. */
function inWords(message: string): string {
  const [, pattern] = /^must match pattern "(.*)"$/s.exec(message) ?? [];
  if (pattern !== undefined) return `must be ${wantsOf(pattern)}`;
  const [, format] = /^must match format "(.*)"$/.exec(message) ?? [];
  if (format !== undefined) return `must be ${formats[format] ?? format}`;
  return message
    .replace(/^must be >= /, 'must be at least ')
    .replace(/^must be <= /, 'must be at most ')
    .replace(/^must NOT have more than /, 'must have at most ')
    .replace(/^must NOT have fewer than /, 'must have at least ')
    .replace(/^must have at (least|most) 1 properties$/, 'must have exactly one of its fields')
    .replace(/^must NOT have duplicate items.*$/, 'must not have the same entry twice');
}

function valueAt(given: JsonObject, path: readonly string[]): JsonValue | undefined {
  let value: JsonValue | undefined = given;
  for (const name of path) value = (value as JsonObject | null | undefined)?.[name];
  return value;
}
