// The entered values of a form, and the input made from them. A draft has the shape of the input; each value in it is a text. No DOM here.
import { registry } from '../../../generated/kinds/registry.ts';
import { isObject, type JsonObject, type JsonValue, jsonIn } from '../../../platform/values/json.ts';
import { type InputField, ownFields } from '../../../schema/kinds/kind.ts';
import { phraseOf } from '../../../schema/kinds/words.ts';
import { layoutOf } from './layout/arrange.ts';

/** An empty text means that nothing was entered. In an input that takes exactly one field, `chosen` names that field. */
export type Draft = string | readonly Draft[] | DraftObject;
export interface DraftObject {
  readonly [name: string]: Draft | undefined;
}

export interface FieldFault {
  /** From the input, without `input` itself. Items of a list have their number. */
  readonly path: readonly string[];
  readonly message: string;
}

interface DraftInput {
  readonly input: JsonObject;
  readonly faults: readonly FieldFault[];
}

export const chosen = '__chosen';

/** Chosen on purpose: the field has no object. */
export const noObject = '__none';

/** The key, next to a list's own, of pasted lines that are not in the list yet. */
export function linesOf(list: string): string {
  return `__lines ${list}`;
}

/** Help of fields that a form needs although the graph does not, by their names. */
export type Needed = Readonly<Record<string, string>>;

/** Fields of calls that the form fills in, because it is opened from the backend's page. */
const callFields: ReadonlySet<string> = new Set([...ownFields, 'backend', 'projectId', 'dryRun']);
const callInputs: ReadonlySet<string> = new Set(Object.values(registry.calls).map(({ input }) => input));

/** The fields that a person fills in. */
export function formFields(input: string, needed: Needed = {}): readonly InputField[] {
  const filledIn = callInputs.has(input) ? callFields : ownFields;
  const fields = registry.inputs[input]?.fields.filter(({ name }) => !filledIn.has(name)) ?? [];
  return fields.map((field) => {
    const description = needed[field.name];
    return description === undefined ? field : { ...field, required: true, description };
  });
}

export function isDraftObject(draft: Draft | undefined): draft is DraftObject {
  return typeof draft === 'object' && !Array.isArray(draft);
}

/** The input, without what was left empty. */
export function readDraft(input: string, draft: DraftObject, needed: Needed = {}): DraftInput {
  const faults: FieldFault[] = [];
  return { input: readFields(input, formFields(input, needed), { draft, path: [], faults }), faults };
}

/** Reads the draft of an input that is nested in another one. */
export function readDraftOf(input: string, draft: DraftObject): DraftInput {
  const faults: FieldFault[] = [];
  return { input: readObject(input, draft, [], faults), faults };
}

interface Reading {
  readonly draft: DraftObject;
  readonly path: readonly string[];
  readonly faults: FieldFault[];
}

function readObject(input: string, draft: DraftObject, path: readonly string[], faults: FieldFault[]): JsonObject {
  return readFields(input, registry.inputs[input]?.fields ?? [], { draft, path, faults });
}

function readFields(input: string, fields: readonly InputField[], { draft, path, faults }: Reading): JsonObject {
  const { oneOf } = registry.inputs[input] ?? {};
  const read: Record<string, JsonValue> = {};
  const taken = oneOf === true ? fields.filter(({ name }) => name === draft[chosen]) : fields;
  for (const field of taken) {
    const at = [...path, field.name];
    const isNeeded = field.required === true || oneOf === true;
    const value = readField({ ...field, required: isNeeded } as InputField, draft[field.name], at, faults);
    if (!isEmptyDraft(draft[linesOf(field.name)] ?? ''))
      faults.push({ path: [...at, linesOf('')], message: 'Add these lines, or empty the box.' });
    if (value !== undefined) read[field.name] = value;
  }
  if (oneOf === true && taken.length === 0)
    faults.push({ path, message: `Choose one of ${fields.map(({ name }) => phraseOf(name)).join(', ')}.` });
  return read;
}

/** Undefined if nothing was entered. */
function readField(
  field: InputField,
  draft: Draft | undefined,
  path: readonly string[],
  faults: FieldFault[],
): JsonValue | undefined {
  if (field.list === true) {
    const items = Array.isArray(draft) ? withoutEmptyRows(field, draft as readonly Draft[]) : [];
    if (items.length === 0) {
      if (field.required !== true) return undefined;
      // An empty list would delete all existing parts.
      if (field.tree === true) faults.push({ path, message: 'Add at least one.' });
      return [];
    }
    return items.map((each, at) => readOne({ ...field, required: true }, each, [...path, String(at)], faults) ?? null);
  }
  return readOne(field, draft, path, faults);
}

/** The last rows of a table may be empty. The others keep their numbers. */
function withoutEmptyRows({ type }: InputField, items: readonly Draft[]): readonly Draft[] {
  if (layoutOf(type)?.columns === undefined) return items;
  return items.slice(0, items.findLastIndex((item) => !isEmptyDraft(item)) + 1);
}

function readOne(
  field: InputField,
  draft: Draft | undefined,
  path: readonly string[],
  faults: FieldFault[],
): JsonValue | undefined {
  if (registry.inputs[field.type] !== undefined) {
    const isEmpty = draft === undefined || draft === '' || isEmptyDraft(draft);
    if (isEmpty && field.required !== true) return undefined;
    return readObject(field.type, isDraftObject(draft) ? draft : {}, path, faults);
  }
  if (draft === noObject) return undefined;
  const text = typeof draft === 'string' ? draft : '';
  if (text.trim() === '') {
    if (field.required === true) faults.push({ path, message: 'Required.' });
    return field.required === true ? '' : undefined;
  }
  return readText(field, text, path, faults);
}

/** Marks a part that was added: it counts, although all in it may be left as it is. */
export const added = '__added';

function isEmptyDraft(draft: Draft): boolean {
  if (typeof draft === 'string') return draft.trim() === '';
  if (Array.isArray(draft)) return draft.length === 0;
  return Object.values(draft as DraftObject).every((each) => each === undefined || isEmptyDraft(each));
}

function readText(field: InputField, text: string, path: readonly string[], faults: FieldFault[]): JsonValue {
  const { type, bounds, secret, file } = field;
  const fault = (message: string) => faults.push({ path, message });
  // A secret and a file are sent as they are, to the last space.
  if (secret === true || file === true) return text;
  const value = text.trim();
  if (registry.enums[type] !== undefined) {
    if (registry.enums[type]?.[value] === undefined) fault('Choose one of the values.');
    return value;
  }
  if (type === 'Boolean') return value === 'true';
  if (type === 'JSON') {
    const read = jsonIn(value);
    if (read === undefined) fault('This is not JSON.');
    return read ?? null;
  }
  if (!numbers.has(type)) return value;
  const number = Number(value);
  const range = bounds ?? ofType[type];
  if (!/^-?\d{1,15}(\.\d{1,15})?$/.test(value)) fault('Write a number.');
  else if (type !== 'Float' && !Number.isInteger(number)) fault('Write a whole number.');
  else if (range !== undefined && (number < range.least || number > range.most))
    fault(`Write a number from ${range.least} to ${range.most}.`);
  return Number.isFinite(number) ? number : 0;
}

/** The range of each type. For a number outside of it, the graph refuses the whole input without naming the field. */
const ofType: Readonly<Record<string, { readonly least: number; readonly most: number }>> = {
  Port: { least: 1, most: 65_535 },
  Int: { least: -(2 ** 31), most: 2 ** 31 - 1 },
  AsNumber: { least: 1, most: 2 ** 32 - 1 },
};
const numbers: ReadonlySet<string> = new Set(['Int', 'Float', 'Port', 'AsNumber']);

export function isNumber({ type }: InputField): boolean {
  return numbers.has(type);
}

/** The draft that makes this input. Secrets are not in it. */
export function draftOf(input: string, value: JsonObject): DraftObject {
  const { oneOf, fields = [] } = registry.inputs[input] ?? {};
  const made: Record<string, Draft> = {};
  for (const field of fields) {
    const member = value[field.name];
    if (member === undefined || member === null || field.secret === true) continue;
    made[field.name] = Array.isArray(member)
      ? member.map((each: JsonValue) => draftOfOne(field, each))
      : draftOfOne(field, member);
    if (oneOf === true) made[chosen] = field.name;
  }
  return made;
}

function draftOfOne({ type }: InputField, value: JsonValue): Draft {
  if (registry.inputs[type] !== undefined) return isObject(value) ? draftOf(type, value) : {};
  if (type === 'JSON') return JSON.stringify(value);
  return value === null ? '' : String(value);
}

/** The draft with another value at a path. Undefined removes it. */
export function withDraft(draft: Draft | undefined, path: readonly string[], value: Draft | undefined): Draft {
  const [first, ...rest] = path;
  if (first === undefined) return value ?? '';
  if (Array.isArray(draft)) {
    const items = draft as readonly Draft[];
    if (rest.length === 0 && value === undefined) return items.toSpliced(Number(first), 1);
    const next = withDraft(items[Number(first)], rest, value);
    return Number(first) < items.length ? items.with(Number(first), next) : [...items, next];
  }
  const object = isDraftObject(draft) ? draft : {};
  if (rest.length > 0) return { ...object, [first]: withDraft(object[first], rest, value) };
  const { [first]: _before, ...others } = object;
  return value === undefined ? others : { ...others, [first]: value };
}

export function draftAt(draft: Draft | undefined, path: readonly string[]): Draft | undefined {
  return path.reduce<Draft | undefined>((at, name) => {
    if (Array.isArray(at)) return (at as readonly Draft[])[Number(name)];
    return isDraftObject(at) ? at[name] : undefined;
  }, draft);
}
