// The input of a mutation, from the options of a command and the file of `--from`. References by name become ids, and files their content.
import { dirname, resolve } from 'node:path';
import { registry } from '../../generated/kinds/registry.ts';
import { isObject, type JsonObject, type JsonValue } from '../../platform/values/json.ts';
import type { InputField } from '../../schema/kinds/kind.ts';
import { CommandFailure, CommandFaults, UsageError } from '../failures.ts';
import type { GraphClient } from '../graph-client.ts';
import { allowedFrom, readPlaced, readSecret, type SecretPlaces } from '../secrets.ts';
import { parseSource, readText } from '../source.ts';
import { checkInput } from './check-input.ts';
import type { FieldOption } from './field-options.ts';
import { idOf, type Where } from './find-object.ts';

interface Giving {
  readonly input: string;
  readonly options: readonly FieldOption[];
  /** Keyed by the name of the option. */
  readonly values: Readonly<Record<string, unknown>>;
  readonly from: string | undefined;
  readonly unset: readonly string[];
  /** The object exists. Objects in it are merged with the present ones (`checkWhole`). */
  readonly changes: boolean;
  readonly env: SecretPlaces['env'];
}

interface Given {
  /** References are still names. */
  readonly input: JsonObject;
  /** Never shown. */
  readonly secrets: readonly string[];
}

/** Options take precedence over the file. Throws UsageError and CommandFailure. */
export async function readGiven(giving: Giving): Promise<Given> {
  const { input, options, values, from, unset, changes, env } = giving;
  const secrets: string[] = [];
  let given: JsonObject = from === undefined ? {} : await readFrom(giving, from, secrets);
  const here = { folder: process.cwd(), env, allowed: 'all' } as const;
  for (const { name, path, field } of options) {
    const value = values[name];
    if (value === undefined || (Array.isArray(value) && value.length === 0)) continue;
    const isFile = field.secret || field.file;
    const content = isFile ? await readContent(field, `--${name}`, { file: value as string }, here, secrets) : value;
    given = withValue(given, path, content as JsonValue);
  }
  for (const name of unset) {
    const option = options.find((each) => each.name === name);
    if (option === undefined)
      throw new UsageError(
        `--unset: '${name}' is no field; give one of ${options.map((each) => each.name).join(', ')}`,
      );
    if (option.field.required) throw new UsageError(`--unset ${name}: it must have a value`);
    if (given[option.path[0] ?? ''] !== undefined && option.path.length === 1)
      throw new UsageError(`give --${name} or --unset ${name}, not both`);
    given = withValue(given, option.path, option.field.list ? [] : null);
  }
  refuseFaults(input, given, options, changes ? 'changes' : 'partly');
  return { input: given, secrets };
}

/** Runs after the merge with the present object, when each object in the input is complete. Throws UsageError. */
export function checkWhole(input: string, merged: JsonObject, options: readonly FieldOption[]): void {
  refuseFaults(input, merged, options, 'partly');
}

function refuseFaults(
  input: string,
  value: JsonObject,
  options: readonly FieldOption[],
  completeness: 'partly' | 'changes',
): void {
  const [fault] = checkInput(input, value, { completeness, without: new Set() }).faults;
  if (fault !== undefined) throw new UsageError(faultText(fault, options));
}

/** `path`: where a combination of options has its fault. */
function faultText(
  { path, message }: { readonly path: readonly string[]; readonly message: string },
  options: readonly FieldOption[],
): string {
  const inside = options.filter((each) => path.every((part, at) => each.path[at] === part));
  return path.length === 0 || inside.length !== 1 ? message : `--${inside[0]?.name}: ${message}`;
}

async function readFrom({ input, changes, env }: Giving, path: string, secrets: string[]): Promise<JsonObject> {
  const [source] = parseSource(await readText(path), { several: false });
  const [fault] = source?.faults ?? [];
  if (fault !== undefined) throw new CommandFailure(`${path}:${fault.line}: ${fault.message}`);
  const { value } = source ?? {};
  if (!isObject(value)) throw new CommandFailure(`${path} must be a map of names and values`);
  const checked = checkInput(input, value, { completeness: changes ? 'changes' : 'partly' });
  const faults = checked.faults.map((each) => `${path}:${source?.lineOf(each.path) ?? 1}: ${each.message}`);
  if (faults.length > 0) throw new CommandFaults(faults);
  return withContents(input, checked.value, { folder: dirname(resolve(path)), env, allowed: allowedFrom }, secrets);
}

/** Inserts the content of the referenced files. Throws CommandFailure. */
export async function withContents(
  input: string,
  value: JsonObject,
  places: SecretPlaces,
  secrets: string[],
): Promise<JsonObject> {
  const read: Record<string, JsonValue> = {};
  for (const field of registry.inputs[input]?.fields ?? []) {
    const member = value[field.name];
    if (member === undefined) continue;
    read[field.name] = await memberContents(field, member, places, secrets);
  }
  return read;
}

async function memberContents(
  field: InputField,
  member: JsonValue,
  places: SecretPlaces,
  secrets: string[],
): Promise<JsonValue> {
  if (member === null) return null;
  if (field.secret || (field.file && isObject(member))) return readContent(field, field.name, member, places, secrets);
  if (registry.inputs[field.type] === undefined) return member;
  if (!Array.isArray(member)) return withContents(field.type, member as JsonObject, places, secrets);
  const items: JsonValue[] = [];
  for (const each of member) items.push(await withContents(field.type, each as JsonObject, places, secrets));
  return items;
}

/** Throws CommandFailure. */
async function readContent(
  field: InputField,
  name: string,
  source: JsonValue,
  places: SecretPlaces,
  secrets: string[],
): Promise<string> {
  if (field.secret) {
    const read = await readSecret(field.name, source, places);
    if (!read.ok) throw new CommandFailure(`${name}: ${read.message}`);
    secrets.push(read.value);
    return read.value;
  }
  const { file, ...others } = source as JsonObject;
  if (typeof file !== 'string' || Object.keys(others).length > 0)
    throw new CommandFailure(`${name} must be the text, or { file: PATH }`);
  const read = await readPlaced(file, places);
  if (!read.ok) throw new CommandFailure(`${name}: ${read.message}`);
  return `${read.value.trim()}\n`;
}

/** Replaces references by name or id. Throws CommandFailure. */
export async function withIds(
  client: GraphClient,
  input: string,
  value: JsonObject,
  where: Where,
): Promise<JsonObject> {
  const fields = new Map((registry.inputs[input]?.fields ?? []).map((field) => [field.name, field]));
  const read: Record<string, JsonValue> = {};
  for (const [name, member] of Object.entries(value)) {
    const field = fields.get(name);
    if (member === undefined) continue;
    read[name] = field === undefined ? member : await memberIds(client, field, member, where);
  }
  return read;
}

async function memberIds(client: GraphClient, field: InputField, member: JsonValue, where: Where): Promise<JsonValue> {
  if (member === null) return null;
  if (Array.isArray(member)) {
    const items: JsonValue[] = [];
    for (const each of member as readonly JsonValue[]) items.push(await memberIds(client, field, each, where));
    return items;
  }
  if (field.refersTo !== undefined) return idOf(client, field.refersTo, String(member), where);
  return registry.inputs[field.type] === undefined || !isObject(member)
    ? member
    : withIds(client, field.type, member, where);
}

function withValue(object: JsonObject, path: readonly string[], value: JsonValue): JsonObject {
  const [first = '', ...rest] = path;
  if (rest.length === 0) return { ...object, [first]: value };
  const before = object[first];
  return { ...object, [first]: withValue(isObject(before) ? before : {}, rest, value) };
}
