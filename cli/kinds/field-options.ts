// The options of a verb that is derived from an input of the graph: one for each field, and one for each field of an object in it.
import { registry } from '../../generated/kinds/registry.ts';
import type { JsonValue } from '../../platform/values/json.ts';
import { type InputField, kebab, ownFields } from '../../schema/kinds/kind.ts';
import { optionName, optionWords, ownName } from '../../schema/kinds/option-names.ts';
import { titleOf } from '../../schema/kinds/words.ts';
import { cmpOption } from '../cmp-object.ts';
import { UsageError } from '../failures.ts';
import { chosenFrom, type Option, one, several } from '../option.ts';

/** An option and where its value is in the input. */
export interface FieldOption {
  readonly name: string;
  readonly path: readonly string[];
  readonly field: InputField;
  readonly option: Option<unknown>;
}

export const fieldsGroup = 'Fields:';
const filtersGroup = 'Filters:';

interface Naming {
  /** Prefix of a name that is taken: `user` for --user-password-file. */
  readonly singular: string;
  /** Fields that are given in another way. */
  readonly without: readonly string[];
  /** Required fields are optional, because the object exists. */
  readonly changes?: boolean;
}

export function fieldOptions(input: string, naming: Naming): readonly FieldOption[] {
  return optionsWithin(input, [], naming);
}

function optionsWithin(input: string, path: readonly string[], naming: Naming): readonly FieldOption[] {
  const { fields = [] } = registry.inputs[input] ?? {};
  return fields
    .filter(({ name, tree }) => tree !== true && (path.length > 0 || !isApart(name, naming)))
    .flatMap((field) => {
      const at = [...path, field.name];
      if (field.type === cmpInput && field.list !== true) return cmpOptions(field, at, naming);
      if (registry.inputs[field.type] !== undefined && field.list !== true)
        return optionsWithin(field.type, at, naming);
      const name = optionName(at, field, naming.singular);
      return [
        {
          name,
          path: at,
          field,
          option: optionOf(field, { isNew: naming.changes !== true, isTop: path.length === 0 }),
        },
      ];
    });
}

const cmpInput = 'CmpObjectInput';

/** TYPE/ID as one option. Its parts have hidden options of their own. */
function cmpOptions(field: InputField, path: readonly string[], naming: Naming): readonly FieldOption[] {
  const name = [...path.slice(0, -1).map(optionWords), 'cmp'].join('-');
  const option = {
    ...cmpOption,
    help: helpOf({ ...field, type: 'String' }, { isNew: false, isTop: true }),
    group: fieldsGroup,
  };
  const parts = optionsWithin(cmpInput, path, naming);
  return [
    { name, path, field, option },
    ...parts.map((each) => ({ ...each, option: { ...each.option, hidden: true as const } })),
  ];
}

/** Options for the arguments of a list. */
export function filterOptions(fields: readonly InputField[]): readonly FieldOption[] {
  return fields.map((field) => ({
    name: optionWords(ownName(field)),
    path: [field.name],
    field,
    option: { ...optionOf(field, { isNew: false, isTop: true }), group: filtersGroup },
  }));
}

function isApart(name: string, { without }: Naming): boolean {
  return ownFields.has(name) || without.includes(name);
}

interface Standing {
  /** The object does not exist yet. */
  readonly isNew: boolean;
  /** Not inside another field. */
  readonly isTop: boolean;
}

function optionOf(field: InputField, standing: Standing): Option<unknown> {
  const help = helpOf(field, standing);
  if (field.list === true) return { ...several(placeholder(field), help, readerOf(field)), group: fieldsGroup };
  return { ...one(placeholder(field), help, readerOf(field)), group: fieldsGroup };
}

/** One line that begins with a capital letter. */
function helpOf(field: InputField, { isNew, isTop }: Standing): string {
  const { name, description, refersTo, secret, required, file, type } = field;
  const line = description.replace(/\s+/g, ' ').trim();
  const text = /^[A-ZÀ-Þ]/.test(line) ? line : `${titleOf(name)}: ${line}`;
  return [
    text,
    ...(refersTo === undefined ? [] : ['By name or id.']),
    ...(secret || file ? ['From a file.'] : []),
    ...(registry.inputs[type] === undefined ? [] : [`Fields: ${membersOf(type)}.`]),
    ...(registry.enums[type] === undefined ? [] : [`One of ${Object.keys(registry.enums[type] ?? {}).join(', ')}.`]),
    ...(isNew ? defaultText(field) : []),
    ...(required && isNew && isTop ? ['Required.'] : []),
  ].join(' ');
}

/** Names before the equals sign. */
function membersOf(input: string): string {
  return (registry.inputs[input]?.fields ?? []).map((field) => kebab(ownName(field))).join(', ');
}

function defaultText({ default: value }: InputField): readonly string[] {
  if (value === undefined || value === null || value === '' || typeof value === 'object') return [];
  return [`Default: ${String(value)}.`];
}

const placeholders: Readonly<Record<string, string>> = {
  ...{ Int: 'N', Float: 'NUMBER', Boolean: 'true|false', Port: 'PORT', DateTime: 'TIME', JSON: 'JSON' },
  ...{ IpAddress: 'ADDRESS', IpOrCidr: 'CIDR', CidrBlock: 'CIDR', BigInt: 'N' },
};

function placeholder({ type, refersTo, secret, file, name }: InputField): string {
  if (secret || file) return 'FILE';
  if (refersTo !== undefined) return 'NAME';
  if (registry.inputs[type] !== undefined) return 'FIELD=VALUE,…';
  if (registry.enums[type] !== undefined) return kebab(name).split('-').at(-1)?.toUpperCase() ?? 'WORD';
  return placeholders[type] ?? 'TEXT';
}

type Reader = ((given: string, name: string) => unknown) & { readonly words?: readonly string[] };

/** Reads one text of an option. Throws UsageError. */
function readerOf({ type, secret, file }: InputField): Reader {
  if (secret || file) return (given) => given;
  const words = Object.keys(registry.enums[type] ?? {});
  if (words.length > 0) return chosenFrom(words);
  switch (type) {
    case 'Boolean': {
      const read = chosenFrom(['true', 'false']);
      return Object.assign((given: string, name: string) => read(given, name) === 'true', { words: ['true', 'false'] });
    }
    case 'Int':
    case 'Port':
      return (given, name) => numberIn(given, name, /^-?\d{1,10}$/, 'a whole number');
    case 'Float':
      return (given, name) => numberIn(given, name, /^-?\d{1,10}(\.\d{1,10})?$/, 'a number');
    case 'JSON':
      return (given, name) => jsonOf(given, name);
    default:
      return registry.inputs[type] === undefined ? (given) => given : (given, name) => objectIn(type, given, name);
  }
}

function numberIn(given: string, name: string, pattern: RegExp, what: string): number {
  if (pattern.test(given)) return Number(given);
  throw new UsageError(`${name} must be ${what}, not '${given}'`);
}

function jsonOf(given: string, name: string): JsonValue {
  try {
    return JSON.parse(given) as JsonValue;
  } catch {
    throw new UsageError(`${name} must be JSON`);
  }
}

/** `host=192.0.2.1,port=443`, or JSON. Spaces separate items of a list. */
function objectIn(input: string, given: string, name: string): JsonValue {
  if (given.trimStart().startsWith('{')) return jsonOf(given, name);
  const { fields = [] } = registry.inputs[input] ?? {};
  return Object.fromEntries(
    given.split(',').map((part) => {
      const [, key = '', value = ''] = /^\s*([^=]+)=(.*)$/s.exec(part) ?? [];
      const field = fields.find((each) => [each.name, kebab(each.name), kebab(ownName(each))].includes(key.trim()));
      if (field === undefined) {
        const known = fields.map((each) => kebab(each.name)).join(', ');
        throw new UsageError(`${name} takes FIELD=VALUE,… or JSON; the fields are ${known}, without '${part}'`);
      }
      const read = readerOf(field);
      const texts = field.list === true ? value.split(' ').filter((each) => each !== '') : [value];
      const values = texts.map((each) => read(each, `${name} ${kebab(field.name)}`) as JsonValue);
      return [field.name, field.list === true ? values : (values[0] ?? null)];
    }),
  );
}
