// The form's action as text: a command, a file of YAML, GraphQL, Python.
import { type KeyboardEvent as ReactKeyboardEvent, useId, useRef, useState } from 'react';
import { CopyButton } from './copy-button.tsx';
import { asText, type Language, languages } from './text/as-text.ts';
import type { Deed } from './text/shown.ts';

export function TextTabs({ deed }: { readonly deed: Deed }) {
  const [open, setOpen] = useState<Language>('CLI');
  const tabs = useRef<HTMLDivElement>(null);
  const id = useId();
  const { text, isIncomplete } = asText(open, deed);
  const onKeyDown = (event: ReactKeyboardEvent): void => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const next = (languages.indexOf(open) + step + languages.length) % languages.length;
    setOpen(languages[next] ?? open);
    tabs.current?.querySelectorAll('button')[next]?.focus();
  };
  return (
    <section className="as-text" aria-label="As text">
      <div className="as-text-head">
        <div ref={tabs} role="tablist" aria-label="Language" onKeyDown={onKeyDown}>
          {languages.map((title) => (
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
        <CopyButton text={text} what={open} isIncomplete={isIncomplete} />
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard. */}
      <pre id={`${id}-panel`} role="tabpanel" aria-labelledby={`${id}-${open}`} tabIndex={0}>
        {text}
      </pre>
    </section>
  );
}
