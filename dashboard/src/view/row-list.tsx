// A list of rows that are buttons. Only one row is a tab stop; j and k move between them.
import { type ReactNode, useState } from 'react';

interface RowListProps<Item> {
  /** Name used by the keys, see keyboard.ts. */
  readonly name: string;
  readonly label: string;
  readonly items: readonly Item[];
  readonly idOf: (item: Item) => string;
  readonly openId: string | null;
  readonly children: (item: Item, row: RowState) => ReactNode;
}

interface RowState {
  readonly isOpen: boolean;
  readonly isTabStop: boolean;
}

export function RowList<Item>({ name, label, items, idOf, openId, children }: RowListProps<Item>) {
  const [focusedId, setFocusedId] = useState<string | null>(null);
  const wanted = items.some((item) => idOf(item) === focusedId) ? focusedId : (items[0] && idOf(items[0])) || null;
  return (
    <ul
      className={`rows rows-${name}`}
      data-list={name}
      aria-label={label}
      onFocus={(event) => {
        const id = event.target.closest<HTMLElement>('[data-row]')?.dataset.row;
        if (id !== undefined) setFocusedId(id);
      }}
    >
      {items.map((item) => {
        const id = idOf(item);
        return <li key={id}>{children(item, { isOpen: id === openId, isTabStop: id === wanted })}</li>;
      })}
    </ul>
  );
}
