// The frame of every page: the header, strips, the panels, the drawer at the side, and the keys.
import { type ReactNode, useMemo, useRef } from 'react';
import { useConnection, useLiveState } from '../context.ts';
import type { FilterControl } from '../filters/filters.ts';
import { Header } from './header.tsx';
import { useKeyboard } from './keyboard.ts';
import { KeysHelp } from './keys-help.tsx';
import { StaleStrip } from './live-badge.tsx';

interface PageFrameProps {
  readonly control: FilterControl;
  /** Of the panels' grid. */
  readonly className: string;
  /** The data that must be read first, in words. */
  readonly waitingFor: string;
  /** Chips in the header for the page's own filters that are set. */
  readonly chosen?: ReactNode;
  /** Above the panels: items that need a person first. */
  readonly strips?: ReactNode;
  readonly drawer?: ReactNode;
  /** The panels. */
  readonly children: ReactNode;
}

export function PageFrame({ control, className, waitingFor, chosen, strips, drawer, children }: PageFrameProps) {
  const { cursor } = useLiveState();
  const dialog = useRef<HTMLDialogElement>(null);
  const { change } = control;
  const actions = useMemo(
    () => ({ close: () => change({ open: null }), help: () => dialog.current?.showModal() }),
    [change],
  );
  useKeyboard(actions);
  return (
    <>
      <Header control={control} chosen={chosen} onHelp={actions.help} />
      <StaleStrip />
      {strips}
      <main className={`panels ${className}`} aria-busy={cursor === null}>
        {cursor === null ? <Waiting what={waitingFor} /> : children}
      </main>
      {drawer}
      <KeysHelp dialog={dialog} />
    </>
  );
}

function Waiting({ what }: { readonly what: string }) {
  const { reason } = useConnection();
  return <p className="waiting">{reason ?? `Reading ${what}…`}</p>;
}
