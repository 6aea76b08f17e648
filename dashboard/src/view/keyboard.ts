// The page's keys. They move the focus between rows in the document, so that keys always act on the focused row.
import { useEffect } from 'react';
import { usePage } from '../context.ts';
import type { PageKeys } from '../page.ts';

/** All keys in the order of the help. */
export function keysOf({ groups }: PageKeys): readonly { readonly keys: readonly string[]; readonly does: string }[] {
  return [
    { keys: ['Ctrl-K'], does: 'Search everything' },
    { keys: ['/'], does: 'Filter' },
    { keys: ['j', 'k'], does: 'Next and previous row (also the arrow keys)' },
    { keys: ['Enter'], does: 'Open the row' },
    { keys: ['Esc'], does: 'Close the drawer, or leave a field' },
    ...groups.map(({ focus, does }) => ({ keys: Object.keys(focus), does })),
    { keys: ['?'], does: 'Show these keys' },
  ];
}

interface KeyActions {
  readonly close: () => void;
  readonly help: () => void;
}

/** Rows are elements with `data-row` inside an element with `data-list`. */
export function useKeyboard(actions: KeyActions): void {
  const { keys } = usePage().page;
  useEffect(() => {
    const listener = (event: KeyboardEvent): void => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
      const isTyping = event.target instanceof Element && event.target.matches('input, textarea, select');
      if (document.querySelector('dialog[open]') !== null) return;
      if (event.key === 'Escape') {
        // Typed text is kept: the first press leaves the field, the next one closes.
        if (isTyping && event.target instanceof HTMLElement) event.target.blur();
        else actions.close();
      } else if (!isTyping && act(event.key, keys, actions)) event.preventDefault();
    };
    document.addEventListener('keydown', listener);
    return () => document.removeEventListener('keydown', listener);
  }, [actions, keys]);
}

function act(key: string, keys: PageKeys, actions: KeyActions): boolean {
  switch (key) {
    case '/':
      return focus('[data-filter]');
    case 'j':
    case 'ArrowDown':
      return move(1, keys.firstList);
    case 'k':
    case 'ArrowUp':
      return move(-1, keys.firstList);
    case '?':
      actions.help();
      return true;
    default: {
      const selector = keys.groups.find(({ focus }) => Object.hasOwn(focus, key))?.focus[key];
      return selector !== undefined && focus(selector);
    }
  }
}

function focus(selector: string): boolean {
  const element = document.querySelector<HTMLElement>(selector);
  element?.focus();
  if (element instanceof HTMLInputElement) element.select();
  return element !== null;
}

function move(step: number, firstList: string): boolean {
  const active = document.activeElement;
  const open = document.querySelector<HTMLElement>('main [data-row][aria-expanded="true"]');
  // The focus may be on a button next to the row.
  const here =
    active?.closest<HTMLElement>('[data-row]') ??
    active?.closest('li')?.querySelector<HTMLElement>('[data-row]') ??
    open;
  const list =
    (active?.closest('[data-list]') ?? open?.closest('[data-list]')) ||
    document.querySelector(`[data-list="${CSS.escape(firstList)}"]`);
  const rows = [...(list?.querySelectorAll<HTMLElement>('[data-row]') ?? [])];
  const next = here === null ? rows[0] : rows[rows.indexOf(here) + step];
  next?.focus();
  next?.scrollIntoView({ block: 'nearest' });
  // With a drawer open, moving on opens the next one.
  if (open !== null) next?.click();
  return rows.length > 0;
}
