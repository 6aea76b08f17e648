// The search of all pages, opened with Ctrl-K: pages and commands at once, objects as soon as the server has found them.
import { type KeyboardEvent as ReactKeyboardEvent, useEffect, useId, useRef, useState } from 'react';
import { formatCmpObject, linkToCmpObject, parseCmpObject } from '../cmp-object.ts';
import { useDependencies } from '../context.ts';
import { containsWords } from '../filters/filters.ts';
import { go, hrefOf, pathOf } from '../route.ts';
import { usePresentPages } from '../view/use-present-pages.ts';
import { chooseZone, useZone } from '../view/zone.ts';
import { searchedText } from './sources.ts';
import { useSearchResults } from './use-search.ts';

interface Choice {
  readonly id: string;
  readonly label: string;
  readonly what: string;
  readonly choose: () => void;
}

interface SearchDialogProps {
  readonly isOpen: boolean;
  readonly onOpen: () => void;
  readonly onClose: () => void;
}

export function SearchDialog({ isOpen, onOpen, onClose }: SearchDialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const listener = (event: KeyboardEvent): void => {
      if (event.key.toLowerCase() !== 'k' || !(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey)
        return;
      event.preventDefault();
      if (document.querySelector('dialog[open]') === null) onOpen();
    };
    document.addEventListener('keydown', listener);
    return () => document.removeEventListener('keydown', listener);
  }, [onOpen]);
  useEffect(() => {
    if (isOpen) dialog.current?.showModal();
    else dialog.current?.close();
  }, [isOpen]);
  return (
    <dialog ref={dialog} className="search" aria-label="Search" onClose={onClose}>
      {isOpen && <SearchBox onClose={onClose} />}
    </dialog>
  );
}

function SearchBox({ onClose }: { readonly onClose: () => void }) {
  const [typed, setTyped] = useState('');
  const [chosen, setChosen] = useState(0);
  const listId = useId();
  const { found, isSearching, failures } = useSearchResults(typed);
  const commands = useCommands().filter(({ label, what }) => containsWords(typed, [label, what]));
  const objects = found.map(({ href, ...each }): Choice => ({ ...each, choose: () => go(href) }));
  const object = parseCmpObject(typed);
  const named: readonly Choice[] =
    object === undefined
      ? []
      : [
          {
            ...{ id: 'cmp', label: formatCmpObject(object), what: 'CMP object' },
            choose: () => go(linkToCmpObject(object)),
          },
        ];
  const choices = [...named, ...objects, ...commands];
  const active = Math.min(chosen, Math.max(0, choices.length - 1));
  const take = (choice: Choice | undefined): void => {
    if (choice === undefined) return;
    onClose();
    choice.choose();
  };
  const onKeyDown = (event: ReactKeyboardEvent): void => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (event.key === 'Enter') take(choices[active]);
    // A field for searches would only be emptied.
    else if (event.key === 'Escape') onClose();
    else if (step !== undefined) setChosen((active + step + choices.length) % Math.max(1, choices.length));
    else return;
    event.preventDefault();
  };
  return (
    <>
      <input
        type="search"
        role="combobox"
        aria-label="Search everything"
        aria-expanded="true"
        aria-controls={listId}
        aria-activedescendant={choices[active] === undefined ? undefined : `${listId}-${active}`}
        placeholder="Name, address, ID, request ID, CMP object or page"
        maxLength={200}
        // biome-ignore lint/a11y/noAutofocus: the dialog was opened to type here.
        autoFocus
        value={typed}
        onChange={(event) => {
          setTyped(event.target.value);
          setChosen(0);
        }}
        onKeyDown={onKeyDown}
      />
      <div id={listId} role="listbox" aria-label="Found">
        {choices.map((choice, index) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: the keys are those of the field above.
          <div
            key={choice.id}
            id={`${listId}-${index}`}
            role="option"
            aria-selected={index === active}
            tabIndex={-1}
            onClick={() => take(choice)}
          >
            <span className="name">{choice.label}</span> <span className="dim">{choice.what}</span>
          </div>
        ))}
      </div>
      <p role="status" className="dim">
        {isSearching && 'Searching…'}
        {!isSearching && choices.length === 0 && `No results for ${searchedText(typed)}.`}
      </p>
      {failures.map((failure) => (
        <p key={failure} className="warning">
          {failure}
        </p>
      ))}
    </>
  );
}

function useCommands(): readonly Choice[] {
  const { session } = useDependencies();
  const present = usePresentPages();
  const zone = useZone();
  return [
    ...present.map(
      (page): Choice => ({
        ...{ id: `page ${page.name}`, label: page.title, what: 'page' },
        choose: () => go(pathOf(page)),
      }),
    ),
    { id: 'form', label: 'Create…', what: 'page', choose: () => go('/form') },
    { id: 'graphiql', label: 'GraphiQL', what: 'page', choose: () => window.location.assign(hrefOf('/graphiql')) },
    zone === 'UTC'
      ? { id: 'zone', label: 'Show local times', what: 'command', choose: () => chooseZone(undefined) }
      : { id: 'zone', label: 'Show times in UTC', what: 'command', choose: () => chooseZone('UTC') },
    { id: 'logout', label: 'Log out', what: 'command', choose: () => void session.logout() },
  ];
}
