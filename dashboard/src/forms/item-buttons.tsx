// Moves an item of a list, or removes it.
import type { ReactNode } from 'react';
import type { Draft } from './draft.ts';

interface ItemButtonsProps {
  readonly items: readonly Draft[];
  readonly at: number;
  readonly path: readonly string[];
  readonly label: string;
  readonly onChange: (path: readonly string[], value: Draft | undefined) => void;
  readonly children?: ReactNode;
}

export function ItemButtons({ items, at, path, label, onChange, children }: ItemButtonsProps) {
  const move = (to: number): void => {
    const item = items[at];
    if (item !== undefined) onChange(path, items.toSpliced(at, 1).toSpliced(to, 0, item));
  };
  return (
    <div className="item-buttons">
      {items.length > 1 && (
        <>
          <button
            type="button"
            className="quiet"
            aria-label={`Move ${label} up`}
            title="Move up"
            disabled={at === 0}
            onClick={() => move(at - 1)}
          >
            ↑
          </button>
          <button
            type="button"
            className="quiet"
            aria-label={`Move ${label} down`}
            title="Move down"
            disabled={at === items.length - 1}
            onClick={() => move(at + 1)}
          >
            ↓
          </button>
        </>
      )}
      {children}
      <button
        type="button"
        className="quiet"
        aria-label={`Remove ${label}`}
        onClick={() => onChange([...path, String(at)], undefined)}
      >
        Remove
      </button>
    </div>
  );
}
