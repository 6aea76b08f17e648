// Several values in one element, such as a cell of a table, with commas or spaces between them.
import { useState } from 'react';
import type { Draft } from './draft.ts';
import type { ValueInputProps } from './field-props.ts';

interface ListCellProps extends Omit<ValueInputProps, 'value' | 'onChange'> {
  readonly value: Draft | undefined;
  readonly onChange: (items: readonly string[] | undefined) => void;
}

function itemsIn(text: string): readonly string[] {
  return text.split(/[\s,;]+/).filter((each) => each !== '');
}

/** Keeps the text as it was typed, as long as it means the same as the draft. */
export function ListCell({ id, label, describedBy, isInvalid, value, onChange }: ListCellProps) {
  const items = Array.isArray(value) ? (value as readonly Draft[]).map(String) : [];
  const [typed, setTyped] = useState('');
  const text = itemsIn(typed).join() === items.join() ? typed : items.join(', ');
  return (
    <input
      type="text"
      id={id}
      aria-label={label}
      aria-describedby={describedBy}
      aria-invalid={isInvalid}
      autoComplete="off"
      spellCheck={false}
      value={text}
      onChange={({ target }) => {
        setTyped(target.value);
        const next = itemsIn(target.value);
        onChange(next.length === 0 ? undefined : next);
      }}
    />
  );
}
