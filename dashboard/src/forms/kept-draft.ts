// Drafts that are left when the login ends: kept in this tab, without secrets, until the same user opens the form again. No DOM here.
import { registry } from '../../../generated/kinds/registry.ts';
import type { JsonValue } from '../../../platform/values/json.ts';
import type { InputField } from '../../../schema/kinds/kind.ts';
import { storeDraft, storedDraft } from '../session/draft-storage.ts';
import { type Draft, type DraftObject, isDraftObject } from './draft.ts';

export interface KeptDraft {
  readonly draft: DraftObject;
  /** The object as it was read, if the form changes one. */
  readonly before?: DraftObject;
}

const callInputs: ReadonlySet<string> = new Set(Object.values(registry.calls).map(({ input }) => input));

/** `place` identifies the form, such as its address. */
export function keptDraft(storage: Storage, user: string, place: string): KeptDraft | undefined {
  return storedDraft(storage, user, place) as KeptDraft | undefined;
}

/** `input`: the action's input type, which shows which fields are secrets. */
export function keepDraft(
  storage: Storage,
  user: string,
  place: string,
  { input, draft, before }: KeptDraft & { readonly input: string },
): void {
  const kept: KeptDraft = {
    draft: withoutSecrets(input, draft),
    ...(before === undefined ? {} : { before: withoutSecrets(input, before) }),
  };
  storeDraft(storage, user, place, kept as unknown as JsonValue);
}

export function dropDraft(storage: Storage, user: string, place: string): void {
  storeDraft(storage, user, place, undefined);
}

/** Arguments of a call may have secrets of which the graph knows nothing. */
function withoutSecrets(input: string, draft: DraftObject): DraftObject {
  return cleaned(registry.inputs[input]?.fields ?? [], draft, callInputs.has(input));
}

function cleaned(fields: readonly InputField[], draft: DraftObject, isCall: boolean): DraftObject {
  const kept = Object.entries(draft).flatMap(([name, value]): [string, Draft][] => {
    const field = fields.find((each) => each.name === name);
    if (value === undefined || field?.secret === true || (isCall && field?.type === 'JSON')) return [];
    const inner = field === undefined ? undefined : registry.inputs[field.type]?.fields;
    return [[name, inner === undefined ? value : inside(inner, value, isCall)]];
  });
  return Object.fromEntries(kept);
}

function inside(fields: readonly InputField[], value: Draft, isCall: boolean): Draft {
  if (Array.isArray(value)) return (value as readonly Draft[]).map((each) => inside(fields, each, isCall));
  return isDraftObject(value) ? cleaned(fields, value, isCall) : value;
}
