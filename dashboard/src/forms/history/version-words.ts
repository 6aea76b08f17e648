// A change of settings in words: `Min nodes: 2 → 3`. No DOM here.
import type { FormVersionFragment } from '../../../../generated/dashboard/graphql.ts';
import { registry } from '../../../../generated/kinds/registry.ts';
import type { JsonValue } from '../../../../platform/values/json.ts';
import type { InputField } from '../../../../schema/kinds/kind.ts';
import { phraseOf, titleOf, wordsOf } from '../../../../schema/kinds/words.ts';
import { draftOf } from '../draft.ts';
import { kindNamed } from '../names.ts';
import { inWords } from '../value-words.ts';

interface ChangeWords {
  readonly field: string;
  readonly before: string;
  readonly after: string;
}

type Names = ReadonlyMap<string, string>;

/** `names`: of objects, by their ids. */
export function changesOf({ subjectType, changes }: FormVersionFragment, names: Names): readonly ChangeWords[] {
  return changes.map(({ field, before, after }) => ({
    field: titleOf(field),
    before: words(subjectType, field, before as JsonValue, names),
    after: words(subjectType, field, after as JsonValue, names),
  }));
}

/** `created` or `deleted`. Empty for an update, whose changes are listed. */
export function headingOf({ number, mutation, deleted, secretFieldsSet, changes }: FormVersionFragment): string {
  if (deleted) return 'deleted';
  if (number === 1) return mutation === null ? 'first recorded settings' : 'created';
  if (changes.length > 0 && secretFieldsSet.length === 0) return '';
  return secretFieldsSet.map((field) => `${phraseOf(field)} set`).join(', ');
}

/** `pool default`. Undefined for the object itself. */
export function partOf({ subjectType, subjectId, subjectName }: FormVersionFragment, id: string): string | undefined {
  if (subjectId === id) return undefined;
  const kind = kindNamed(subjectType);
  return `${kind === undefined ? subjectType : wordsOf(kind)} ${subjectName}`;
}

function words(type: string, name: string, value: JsonValue, names: Names): string {
  const field = fieldOf(type, name);
  if (value === null || field === undefined) return value === null ? 'none' : String(value);
  const draft = draftOf(inputWith(type, name), { [name]: value });
  const text = inWords(field, draft[name], names);
  return field.refersTo === undefined ? text : text.replaceAll(/[\w-]{40,}/g, (id) => `…${id.slice(-6)}`);
}

function inputWith(type: string, name: string): string {
  const actions = Object.values(kindNamed(type)?.actions ?? {});
  return actions.find(({ input }) => registry.inputs[input]?.fields.some((each) => each.name === name))?.input ?? '';
}

function fieldOf(type: string, name: string): InputField | undefined {
  return registry.inputs[inputWith(type, name)]?.fields.find((each) => each.name === name);
}
