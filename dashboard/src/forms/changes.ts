// The input of an update: the fields that differ from the object as it was read. No DOM here.
import { asInput } from '../../../cli/kinds/as-input.ts';
import { registry } from '../../../generated/kinds/registry.ts';
import { neverNull } from '../../../generated/kinds/update-nulls.ts';
import { canonicalJson, type JsonObject, type JsonValue } from '../../../platform/values/json.ts';
import type { Action, InputField, Kind } from '../../../schema/kinds/kind.ts';
import { type Draft, type DraftObject, draftOf, formFields, readDraft } from './draft.ts';

/** The draft of the object as it is. */
export function draftOfObject(kind: Kind, { input }: Action, object: JsonObject): DraftObject {
  return draftOf(input, asInput(input, kind.output, object));
}

/** The fields of `draft` that differ from `before`. An emptied field has no value, or the default of a new object. */
export function changedFields(
  kind: Kind,
  { input, mutation }: Action,
  before: DraftObject,
  draft: DraftObject,
): JsonObject {
  const [was, is] = [readDraft(input, before).input, readDraft(input, draft).input];
  const changes: Record<string, JsonValue> = {};
  for (const field of formFields(input)) {
    const [old, now] = [was[field.name], is[field.name]];
    if (canonicalJson(old ?? null) === canonicalJson(now ?? null)) continue;
    changes[field.name] = now ?? emptied(kind, mutation, field);
  }
  return changes;
}

/** Null if the field is nullable, otherwise the default of a new object. A field without a default stays null, and the server refuses it. */
function emptied(kind: Kind, mutation: string, { name, list, required }: InputField): JsonValue {
  if (list === true) return [];
  const create = registry.inputs[kind.actions.create?.input ?? '']?.fields.find((each) => each.name === name);
  if (required === true || create?.default === '') return '';
  const value = neverNull[mutation]?.includes(name) === true ? create?.default : null;
  return (value ?? null) as JsonValue;
}

/** A field that was changed in the object while a person filled in its form. */
export interface Conflict {
  readonly field: InputField;
  /** The value when the form was opened. */
  readonly was: Draft | undefined;
  readonly theirs: Draft | undefined;
  /** The value in the form. */
  readonly mine: Draft | undefined;
}

interface Readings {
  /** The object when the form was opened. */
  readonly began: DraftObject;
  readonly after: DraftObject;
  readonly draft: DraftObject;
}

/** Where the person wants what is there now, nothing is left to choose. */
export function conflictsOf(kind: Kind, action: Action, { began, after, draft }: Readings): readonly Conflict[] {
  const theirs = changedFields(kind, action, began, after);
  const open = changedFields(kind, action, after, draft);
  return formFields(action.input)
    .filter(({ name }) => name in theirs && name in open)
    .map((field) => ({ field, was: began[field.name], theirs: after[field.name], mine: draft[field.name] }));
}

/** The newest values, and over them what was changed in this form. */
export function rebased(action: Action, draft: DraftObject, before: DraftObject, after: DraftObject): DraftObject {
  const kept = formFields(action.input)
    .map(({ name }) => name)
    .filter((name) => canonicalJson(draft[name] ?? null) !== canonicalJson(before[name] ?? null));
  return { ...after, ...Object.fromEntries(kept.map((name) => [name, draft[name]])) };
}
