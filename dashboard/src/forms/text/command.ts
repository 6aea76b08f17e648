// The command line of a form. Verbs that are made from the registry take each field as an option. Verbs written by hand have a line in
// own-commands.ts. If neither can express the input, `tidegate gql` sends the mutation.

import { registry } from '../../../../generated/kinds/registry.ts';
import { askedDeletions } from '../../../../schema/kinds/asked-deletions.ts';
import type { InputField, Kind } from '../../../../schema/kinds/kind.ts';
import { optionName, optionWords } from '../../../../schema/kinds/option-names.ts';
import { callArguments } from './call-command.ts';
import { mutationText } from './graphql-text.ts';
import { objectWords, withNames } from './named.ts';
import { isByHand, isOption, ownArguments } from './own-commands.ts';
import {
  type Deed,
  isShownObject,
  Missing,
  Secret,
  type Shown,
  type ShownObject,
  secretsIn,
  wholeInput,
} from './shown.ts';
import { yamlOf } from './yaml.ts';

const usual: ReadonlySet<string> = new Set(['create', 'set', 'update', 'delete', 'remove', 'revoke']);

export function commandText(deed: Deed): string {
  const { kind, verb } = deed;
  const shown = wholeInput(deed);
  const named = withNames(deed, shown);
  const own =
    verb === 'call' ? callArguments(deed, shown) : isByHand(kind.type, verb) ? ownArguments(deed, named) : undefined;
  if (own !== undefined) return `${notesOf(shown)}${line(own)}`;
  return (usual.has(verb) && !isByHand(kind.type, verb) ? usualText(deed, named) : undefined) ?? gqlText(deed, shown);
}

/** Where secrets and certificates are. */
function notesOf(shown: ShownObject): string {
  const files = [...new Set(secretsIn(shown).map(({ file }) => file))];
  return files.map((file) => `# ${file}: a file with the secret\n`).join('');
}

function line(words: readonly string[]): string {
  const [head, ...others] = grouped(words);
  return `${[head, ...others].join(' \\\n  ')}\n`;
}

/** One group for each option with its value, and one for all words before the first option. */
function grouped(words: readonly string[]): readonly string[] {
  const groups: string[][] = [[]];
  for (const word of words) {
    if (word.startsWith('--')) groups.push([]);
    groups.at(-1)?.push(quoted(word));
  }
  return groups.map((each) => each.join(' '));
}

function quoted(word: string): string {
  return /^[A-Za-z0-9_./:=@,+-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** Undefined: an argument would be taken for an option. */
function usualText(deed: Deed, shown: ShownObject): string | undefined {
  const { kind, verb, action } = deed;
  const fields = registry.inputs[action.input]?.fields ?? [];
  const has = (name: string) => fields.some((each) => each.name === name);
  const parent = kind.parent !== undefined && has(kind.parent.input) ? kind.parent.input : undefined;
  const own = kind.key.find((each) => has(each) && each !== parent);
  const key = has('id') ? 'id' : own;
  const names =
    key === 'id' ? objectWords(deed) : key === undefined ? [] : [shown[key]].filter((each) => each !== undefined);
  const [name] = names;
  if (name !== undefined && isOption(String(name))) return undefined;
  const words = ['tidegate', kind.noun, verb, ...names.map(String)];
  // The form has asked.
  if (verb === 'delete' && askedDeletions.has(kind.type)) words.push('--yes');
  if (parent !== undefined && shown[parent] !== undefined)
    words.push(...option(parentOption(kind), String(shown[parent])));
  if (shown.projectId !== undefined && parent !== 'projectId')
    words.push(...option('project', String(shown.projectId)));
  const apart = new Set(['id', 'idempotencyKey', 'expectedVersion', 'projectId', parent, key]);
  const file: Record<string, Shown> = {};
  for (const [field, value] of Object.entries(shown)) {
    if (apart.has(field)) continue;
    if (key === 'id' && field === own) words.push(...option('rename', String(value)));
    else {
      const known = fields.find((each) => each.name === field);
      const options = known === undefined ? undefined : optionsOf(kind, known, value, [field]);
      if (options === undefined) file[field] = value;
      else words.push(...options);
    }
  }
  const notes = notesOf(Object.fromEntries(Object.entries(shown).filter(([field]) => !(field in file))));
  if (Object.keys(file).length === 0) return `${notes}${line(words)}`;
  const path = `${kind.singular}.yaml`;
  return `${notes}cat > ${path} <<'END'\n${yamlOf(file)}END\n${line([...words, ...option('from', path)])}`;
}

function parentOption({ parent }: Kind): string {
  if (parent?.kind === 'Project') return 'project';
  return optionWords((parent?.input ?? '').replace(/Id$/, ''));
}

function option(name: string, value: string): readonly string[] {
  return isOption(value) ? [`--${name}=${value}`] : [`--${name}`, value];
}

/** Undefined: no option can say it. */
function optionsOf(
  kind: Kind,
  field: InputField,
  value: Shown,
  path: readonly string[],
): readonly string[] | undefined {
  const name = optionName(path, field, kind.singular);
  const inner = registry.inputs[field.type];
  if (field.tree === true) return undefined;
  if (value === null || (Array.isArray(value) && value.length === 0))
    return path.length > 1 || (inner !== undefined && field.list !== true) ? undefined : option('unset', name);
  if (value instanceof Secret) return option(name, value.file);
  if (value instanceof Missing) return inner === undefined ? option(name, value.word) : undefined;
  if (field.file === true) return option(name, `${name.replace(/-file$/, '')}.pem`);
  if (inner !== undefined && field.list !== true) {
    if (!isShownObject(value) || Object.keys(value).length === 0) return undefined;
    const options = Object.entries(value).map(([each, member]) => {
      const known = inner.fields.find((one) => one.name === each);
      return known === undefined ? undefined : optionsOf(kind, known, member, [...path, each]);
    });
    return options.every((each) => each !== undefined) ? options.flat() : undefined;
  }
  const values = field.list === true && Array.isArray(value) ? (value as readonly Shown[]) : [value];
  if (values.some((each) => typeof each === 'string' && !isOneLine(each))) return undefined;
  return values.flatMap((each) => option(name, textOf(each, field.type)));
}

function isOneLine(text: string): boolean {
  return text !== '' && !/[\n\r]/.test(text);
}

function textOf(value: Shown, type: string): string {
  if (value instanceof Missing) return value.word;
  return typeof value === 'object' || type === 'JSON' ? JSON.stringify(value) : String(value);
}

function gqlText(deed: Deed, shown: ShownObject): string {
  const parts = shellJson({ input: shown });
  return `tidegate gql --variables ${parts} - <<'END'\n${mutationText(deed)}\nEND\n`;
}

/** JSON in single quotes. A secret comes from the environment; it may have no quotes. */
function shellJson(value: Shown): string {
  const mark = '\u0000';
  const secrets: string[] = [];
  const json = JSON.stringify(value, (_, member: unknown) => {
    if (!(member instanceof Secret)) return member;
    secrets.push(member.variable);
    return `${mark}${secrets.length - 1}${mark}`;
  });
  const text = quoted(json);
  return text.replaceAll(/\\u0000(\d+)\\u0000/g, (_, at: string) => `'"$${secrets[Number(at)]}"'`);
}
