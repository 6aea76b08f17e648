// Checks an object against an input of the graph, as the registry knows it: refuses unknown fields, and accepts words in any case. The server checks
// the values. Pure.
import { registry } from '../../generated/kinds/registry.ts';
import { isObject, type JsonObject, type JsonValue } from '../../platform/values/json.ts';
import { type InputField, ownFields } from '../../schema/kinds/kind.ts';

interface InputFault {
  readonly path: readonly string[];
  readonly message: string;
}

/** Required fields that may be omitted: none, those of the input itself, or also those of objects in it. */
type Completeness = 'whole' | 'partly' | 'changes';

/** `value`, with words in the graph's case. `without`: fields that only the program may give. */
export function checkInput(
  input: string,
  value: JsonObject,
  options: { readonly without?: ReadonlySet<string>; readonly completeness?: Completeness } = {},
): { readonly value: JsonObject; readonly faults: readonly InputFault[] } {
  const faults: InputFault[] = [];
  const { without = ownFields, completeness = 'whole' } = options;
  const isOfChange = completeness === 'changes';
  const read = readObject(input, value, [], faults, { without, partly: completeness !== 'whole', isOfChange });
  return { value: read, faults };
}

interface Reading {
  readonly without: ReadonlySet<string>;
  /** Required fields of this object are optional. */
  readonly partly: boolean;
  /** Each object in it is merged with the present one, and checked afterwards. */
  readonly isOfChange: boolean;
}

const nothing: ReadonlySet<string> = new Set();

function readObject(
  input: string,
  value: JsonObject,
  path: readonly string[],
  faults: InputFault[],
  { without, partly, isOfChange }: Reading,
): JsonObject {
  const { fields = [], oneOf } = registry.inputs[input] ?? {};
  const known = fields.filter(({ name }) => !without.has(name));
  const read: Record<string, JsonValue> = {};
  for (const [name, member] of Object.entries(value)) {
    const field = known.find((each) => each.name === name);
    if (field !== undefined) read[name] = readField(field, member ?? null, [...path, name], faults, isOfChange);
    else
      faults.push({
        path: [...path, name],
        message: `${JSON.stringify(name.slice(0, 40))} is not a field; the fields are ${known.map((each) => each.name).join(', ')}`,
      });
  }
  const at = path.length === 0 ? '' : `${path.join('.')}: `;
  const isMerged = isOfChange && path.length > 0;
  if (oneOf === true && !isMerged && Object.values(read).filter((each) => each !== null).length !== 1)
    faults.push({ path, message: `${at}give exactly one of ${known.map((each) => each.name).join(', ')}` });
  if (!partly)
    for (const { name, required } of known)
      if (required && (read[name] ?? null) === null)
        faults.push({ path: [...path, name], message: `${[...path, name].join('.')} is missing` });
  return read;
}

function readField(
  field: InputField,
  value: JsonValue,
  path: readonly string[],
  faults: InputFault[],
  isOfChange: boolean,
): JsonValue {
  if (value === null) return null;
  if (field.list !== true) return readOne(field, value, path, faults, isOfChange);
  // A list is replaced as a whole.
  if (Array.isArray(value))
    return value.map((each: JsonValue, at) => readOne(field, each, [...path, String(at)], faults, false));
  faults.push({ path, message: `${path.join('.')} must be a list` });
  return value;
}

function readOne(
  field: InputField,
  value: JsonValue,
  path: readonly string[],
  faults: InputFault[],
  isOfChange: boolean,
): JsonValue {
  const { type, secret, file } = field;
  const at = path.join('.');
  if (registry.inputs[type] !== undefined) {
    if (isObject(value))
      return readObject(type, value, path, faults, { without: nothing, partly: isOfChange, isOfChange });
    faults.push({ path, message: `${at} must be a map of names and values` });
    return value;
  }
  const words = Object.keys(registry.enums[type] ?? {});
  if (words.length > 0) {
    const word = words.find((each) => typeof value === 'string' && each === value.toUpperCase());
    if (word === undefined) faults.push({ path, message: `${at} must be one of ${words.join(', ')}` });
    return word ?? value;
  }
  if (type === 'JSON' || ((secret || file) && isObject(value))) return value;
  const wanted = wantedType(type);
  if (typeof value !== wanted) faults.push({ path, message: `${at} must be ${wantedWords[wanted]}` });
  return value;
}

const wantedWords = { string: 'a text', number: 'a number', boolean: 'true or false' } as const;

function wantedType(type: string): keyof typeof wantedWords {
  if (type === 'Boolean') return 'boolean';
  return ['Int', 'Float', 'Port', 'AsNumber'].includes(type) ? 'number' : 'string';
}
