// State that the fields of a form share: its faults, the names of picked objects, and where parts are searched.
import { createContext, type ReactNode, useContext } from 'react';
import type { DraftObject, FieldFault, Needed } from './draft.ts';
import type { FieldsProps } from './field-props.ts';

interface FormState {
  /** The draft of the whole form. */
  readonly draft: DraftObject;
  /** Further changes of fields when the form is sent. */
  readonly notes: readonly FieldFault[];
  readonly faults: readonly FieldFault[];
  /** By id. */
  readonly names: ReadonlyMap<string, string>;
  readonly onNamed: (id: string, name: string) => void;
  /** Ids of objects that the form is about, by their types: parts are picked from these. */
  readonly places: Readonly<Record<string, string>>;
  readonly needed: Needed;
  /** Fields that can be set to no object, with the words for that. */
  readonly none: Readonly<Record<string, string>>;
  /** Nothing is required, because the object exists. */
  readonly isChange: boolean;
  /** The fields of an object inside: they have fields with objects, too. */
  readonly renderFields: (props: FieldsProps) => ReactNode;
  /** Before the ids of elements. */
  readonly prefix: string;
}

export const FormContext = createContext<FormState | null>(null);

export function useForm(): FormState {
  const state = useContext(FormContext);
  if (state === null) throw new Error('a field is rendered inside of a form');
  return state;
}
