// Parts that all kinds of form fields share: labels, help, and the faults below a field.
import type { InputField } from '../../../schema/kinds/kind.ts';
import { ownName } from '../../../schema/kinds/option-names.ts';
import { phraseOf, titleOf } from '../../../schema/kinds/words.ts';
import { describe } from '../view/graph-words.ts';
import type { Draft } from './draft.ts';

export interface FieldProps {
  readonly field: InputField;
  readonly path: readonly string[];
  readonly value: Draft | undefined;
  readonly onChange: (path: readonly string[], value: Draft | undefined) => void;
  /** Whether it shares its row with other fields. */
  readonly isBeside?: boolean;
}

/** The label in lower case, such as `pool` or `L7 policy`. For a list, the word for one item. */
export function wordOf(field: InputField): string {
  return phraseOf(ownName(field));
}

/** The graph writes names of fields as code. */
export function helpOf({ description }: InputField): string {
  return describe(description);
}

export function titleOfField(field: InputField): string {
  const { name, refersTo, list } = field;
  return titleOf(refersTo === undefined || list === true ? name.replace(/Ids$/, 's') : ownName(field));
}

export function Needed({ field }: { readonly field: InputField }) {
  return field.required === true ? <span className="needed"> required</span> : null;
}

/** The legend of a field set, and the field's help. */
export function FieldHead({ field }: { readonly field: InputField }) {
  return (
    <>
      <legend>
        {titleOfField(field)}
        <Needed field={field} />
      </legend>
      <p className="help">{helpOf(field)}</p>
    </>
  );
}

export function Faults({ id, messages }: { readonly id: string; readonly messages: readonly string[] }) {
  return (
    <p id={id} className={messages.length > 0 ? 'fault' : undefined}>
      {messages.join(' ')}
    </p>
  );
}
