// The frame of every page: the header, strips, the panels, the drawer at the side, and the keys.
import { type ReactNode, useEffect, useMemo, useRef, useState } from 'react';
import { useConnection, useLiveState } from '../context.ts';
import type { FilterControl } from '../filters/filters.ts';
import { SearchDialog } from '../search/search-dialog.tsx';
import { forgetOthersDrafts } from '../session/draft-storage.ts';
import { Header } from '../view/header.tsx';
import { useKeyboard } from '../view/keyboard.ts';
import { KeysHelp } from '../view/keys-help.tsx';
import { StaleStrip } from '../view/live-badge.tsx';
import { Skeleton } from '../view/skeleton.tsx';
import { QuietStrip } from './quiet-strip.tsx';

interface PageFrameProps {
  readonly control: FilterControl;
  /** The CSS class of the panels' grid. */
  readonly className: string;
  /** The data that must be read first, in words. */
  readonly waitingFor: string;
  /** Chips in the header for the page's own filters that are set. */
  readonly chosen?: ReactNode;
  /** Above the panels: items that need attention first. */
  readonly strips?: ReactNode;
  readonly drawer?: ReactNode;
  /** The panels. */
  readonly children: ReactNode;
}

export function PageFrame({ control, className, waitingFor, chosen, strips, drawer, children }: PageFrameProps) {
  const { cursor, viewer } = useLiveState();
  const dialog = useRef<HTMLDialogElement>(null);
  const [isSearching, setSearching] = useState(false);
  const { change } = control;
  const actions = useMemo(
    () => ({
      close: () => change({ open: null }),
      help: () => dialog.current?.showModal(),
      search: () => setSearching(true),
    }),
    [change],
  );
  useKeyboard(actions);
  const user = viewer?.name;
  useEffect(() => {
    if (user !== undefined) forgetOthersDrafts(window.sessionStorage, user);
  }, [user]);
  return (
    <>
      <Header control={control} chosen={chosen} onHelp={actions.help} onSearch={actions.search} />
      <StaleStrip />
      <QuietStrip />
      {strips}
      <main key={cursor === null ? 'waiting' : 'shown'} className={`panels ${className}`} aria-busy={cursor === null}>
        {cursor === null ? <Waiting what={waitingFor} /> : children}
      </main>
      {drawer}
      <KeysHelp dialog={dialog} />
      <SearchDialog isOpen={isSearching} onOpen={actions.search} onClose={() => setSearching(false)} />
    </>
  );
}

function Waiting({ what }: { readonly what: string }) {
  const { reason } = useConnection();
  return (
    <div className="waiting">
      {reason !== null && <p>{reason}</p>}
      <Skeleton what={what} />
    </div>
  );
}
