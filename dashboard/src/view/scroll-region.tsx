// A part of a panel that scrolls. A group and no landmark: the panel around it is one, often of the same name.
import type { ReactNode } from 'react';

interface ScrollRegionProps {
  readonly label: string;
  /** By which the keys of its page find it. */
  readonly list?: string;
  readonly className?: string;
  readonly children: ReactNode;
}

export function ScrollRegion({ label, list, className = 'scroll', children }: ScrollRegionProps) {
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset is for fields.
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard.
    <div className={className} data-list={list} tabIndex={0} role="group" aria-label={label}>
      {children}
    </div>
  );
}
