// The same as the form, as one would write it: a command, a file of YAML, GraphQL, Python.
import { type KeyboardEvent as ReactKeyboardEvent, useId, useRef, useState } from 'react';
import { CopyButton } from './copy-button.tsx';
import { commandText } from './text/command.ts';
import { graphqlText } from './text/graphql-text.ts';
import { manifestText } from './text/manifest-text.ts';
import { pythonText } from './text/python.ts';
import type { Deed } from './text/shown.ts';

const makers: Readonly<Record<string, (deed: Deed) => string>> = {
  CLI: commandText,
  YAML: manifestText,
  GraphQL: graphqlText,
  Python: pythonText,
};
const titles = Object.keys(makers);

export function TextTabs({ deed }: { readonly deed: Deed }) {
  const [open, setOpen] = useState('CLI');
  const tabs = useRef<HTMLDivElement>(null);
  const id = useId();
  const text = makers[open]?.(deed) ?? '';
  const onKeyDown = (event: ReactKeyboardEvent): void => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const next = (titles.indexOf(open) + step + titles.length) % titles.length;
    setOpen(titles[next] ?? open);
    tabs.current?.querySelectorAll('button')[next]?.focus();
  };
  return (
    <section className="as-text" aria-label="The same as text">
      <div className="as-text-head">
        <div ref={tabs} role="tablist" aria-label="The same as" onKeyDown={onKeyDown}>
          {titles.map((title) => (
            <button
              key={title}
              type="button"
              role="tab"
              id={`${id}-${title}`}
              aria-selected={title === open}
              aria-controls={`${id}-panel`}
              tabIndex={title === open ? 0 : -1}
              onClick={() => setOpen(title)}
            >
              {title}
            </button>
          ))}
        </div>
        <CopyButton text={text} what={open} />
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard. */}
      <pre id={`${id}-panel`} role="tabpanel" aria-labelledby={`${id}-${open}`} tabIndex={0}>
        {text}
      </pre>
    </section>
  );
}
