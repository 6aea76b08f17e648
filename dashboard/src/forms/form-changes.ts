// The input that a form sends. For an existing object it has only the changed fields, and those that a program fills in.
import { registry } from '../../../generated/kinds/registry.ts';
import type { JsonObject } from '../../../platform/values/json.ts';
import type { Action, Kind } from '../../../schema/kinds/kind.ts';
import { changedFields } from './changes.ts';
import { type DraftObject, type FieldFault, formFields, noObject, type readDraft } from './draft.ts';
import type { Deed } from './text/shown.ts';

interface FormChange {
  readonly kind: Kind;
  readonly action: Action;
  readonly draft: DraftObject;
  /** The values that were read, if the form changes an object. */
  readonly before: DraftObject | undefined;
  readonly object: Deed['object'];
}

interface SentChange {
  readonly input: JsonObject;
  readonly faults: readonly FieldFault[];
  /** The input with the id and the version. */
  readonly whole: JsonObject;
  readonly isUnchanged: boolean;
}

export function changeOfForm(
  { kind, action, draft, before, object }: FormChange,
  read: ReturnType<typeof readDraft>,
): SentChange {
  const input = before === undefined ? read.input : changedFields(kind, action, before, draft);
  // Unchanged fields are not sent, so their faults do not count.
  const faults = before === undefined ? read.faults : read.faults.filter(({ path: [name = ''] }) => name in input);
  const isUnchanged = before !== undefined && Object.keys(input).length === 0;
  return { input, faults, whole: { ...ownFieldsOf(action, object), ...input }, isUnchanged };
}

/** The fields that a program fills in, apart from the key. */
function ownFieldsOf({ input }: Action, object: Deed['object']): JsonObject {
  const takes = (name: string) => registry.inputs[input]?.fields.some((each) => each.name === name) === true;
  if (object === undefined) return {};
  return {
    ...(takes('id') ? { id: object.id } : {}),
    ...(takes('expectedVersion') && object.version !== undefined ? { expectedVersion: object.version } : {}),
  };
}

/** The objects that the draft refers to: parts are picked from them. */
export function placesIn({ input }: Action, draft: DraftObject): Readonly<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const { name, refersTo, list } of formFields(input)) {
    const value = draft[name];
    if (refersTo !== undefined && list !== true && typeof value === 'string' && value !== '' && value !== noObject)
      found[refersTo] = value;
  }
  return found;
}
