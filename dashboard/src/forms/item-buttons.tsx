// Moves an item of a list, or removes it.
import type { ReactNode } from 'react';

interface ItemButtonsProps {
  readonly at: number;
  /** The number of items in the list. */
  readonly count: number;
  readonly label: string;
  readonly onMove: (from: number, to: number) => void;
  readonly onRemove: (at: number) => void;
  readonly children?: ReactNode;
}

/** A list in which the item has another place. */
export function moved<Item>(items: readonly Item[], from: number, to: number): readonly Item[] {
  const item = items[from];
  return item === undefined ? items : items.toSpliced(from, 1).toSpliced(to, 0, item);
}

export function ItemButtons({ at, count, label, onMove, onRemove, children }: ItemButtonsProps) {
  return (
    <div className="item-buttons">
      {count > 1 && (
        <>
          <button
            type="button"
            className="quiet"
            aria-label={`Move ${label} up`}
            title="Move up"
            disabled={at === 0}
            onClick={() => onMove(at, at - 1)}
          >
            ↑
          </button>
          <button
            type="button"
            className="quiet"
            aria-label={`Move ${label} down`}
            title="Move down"
            disabled={at === count - 1}
            onClick={() => onMove(at, at + 1)}
          >
            ↓
          </button>
        </>
      )}
      {children}
      <button type="button" className="quiet" aria-label={`Remove ${label}`} onClick={() => onRemove(at)}>
        Remove
      </button>
    </div>
  );
}
