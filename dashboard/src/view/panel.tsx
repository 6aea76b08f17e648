// A titled part of the page.
import type { ReactNode } from 'react';

interface PanelProps {
  readonly name: string;
  readonly title: string;
  readonly summary?: ReactNode;
  /** At the right of the heading. */
  readonly tools?: ReactNode;
  readonly children?: ReactNode;
}

export function Panel({ name, title, summary, tools, children }: PanelProps) {
  const headingId = `panel-${name}`;
  return (
    <section className={`panel panel-${name}`} aria-labelledby={headingId}>
      <header className="panel-head">
        <h2 id={headingId}>{title}</h2>
        {summary !== undefined && <span className="summary">{summary}</span>}
        {tools}
      </header>
      {children}
    </section>
  );
}
