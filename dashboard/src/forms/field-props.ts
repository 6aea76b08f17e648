// The properties of the parts of a form.
import type { InputField } from '../../../schema/kinds/kind.ts';
import type { Draft } from './draft.ts';

/** Properties of the fields of one input. */
export interface FieldsProps {
  readonly input: string;
  readonly path: readonly string[];
  readonly draft: Draft | undefined;
  readonly onChange: (path: readonly string[], value: Draft | undefined) => void;
  /** Names of fields that stand elsewhere. */
  readonly without?: ReadonlySet<string>;
  /** All headings are open. */
  readonly isOpen?: boolean;
}

/** Properties of the element for one value. */
export interface ValueInputProps {
  readonly field: InputField;
  readonly id: string;
  /** Where no label element has the id. */
  readonly label?: string;
  readonly describedBy: string;
  readonly isInvalid: boolean;
  /** In a cell of a table. */
  readonly isShort?: boolean;
  readonly value: string;
  readonly onChange: (value: string) => void;
}
