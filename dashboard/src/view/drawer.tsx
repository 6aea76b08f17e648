// The panel at the side with the details of one object. It takes the focus when it opens and returns it when it closes.
import { type ReactNode, useEffect, useRef } from 'react';

interface DrawerProps {
  /** Changes with the shown object. */
  readonly id: string;
  readonly title: ReactNode;
  readonly onClose: () => void;
  readonly children: ReactNode;
}

export function Drawer({ id, title, onClose, children }: DrawerProps) {
  const heading = useRef<HTMLHeadingElement>(null);

  useEffect(() => {
    heading.current?.focus();
    return () => {
      // Only when the focus would otherwise be lost: j and k may have moved it.
      const row = document.querySelector<HTMLElement>(`main [data-row="${CSS.escape(id)}"]`);
      const active = document.activeElement;
      if (active === null || active === document.body || active.closest('.drawer') !== null) row?.focus();
    };
  }, [id]);

  return (
    <aside className="drawer" aria-labelledby="drawer-title">
      <header className="drawer-head">
        <h2 id="drawer-title" ref={heading} tabIndex={-1}>
          {title}
        </h2>
        <button type="button" className="quiet" onClick={onClose}>
          <span className="visually-hidden">Close </span>
          <kbd>Esc</kbd>
          <span className="touch" aria-hidden="true">
            ×
          </span>
        </button>
      </header>
      <div className="drawer-body">{children}</div>
    </aside>
  );
}

export interface Fact {
  readonly name: string;
  readonly value: ReactNode;
}

/** Facts without a value are left out. */
export function Facts({ facts }: { readonly facts: readonly Fact[] }) {
  return (
    <dl className="facts-list">
      {facts
        .filter(({ value }) => value !== null && value !== undefined && value !== '')
        .map(({ name, value }) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
    </dl>
  );
}
