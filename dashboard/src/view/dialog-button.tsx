// A button that opens a dialog. In a menu of actions it is an item: the dialog is outside of the menu, which closes.
import { type ReactNode, useId, useRef } from 'react';
import { createPortal } from 'react-dom';
import { useMenu } from './actions-menu.tsx';

export interface DialogButtonProps {
  /** Of the button: `Drain`. */
  readonly label: string;
  /** The object of the action, read out with the label, if several buttons have the same label. */
  readonly about?: string | undefined;
  readonly title: string;
  /** Why the action is not allowed. Null if it is. */
  readonly forbidden: string | null;
  /** True when the dialog opens, false when it has closed. */
  readonly onOpenChange?: ((isOpen: boolean) => void) | undefined;
  /** Below the title. */
  readonly children: (close: () => void) => ReactNode;
}

export function DialogButton({ label, about, title, forbidden, onOpenChange, children }: DialogButtonProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  const menu = useMenu();
  const open = (): void => {
    menu?.close();
    dialog.current?.showModal();
    onOpenChange?.(true);
  };
  const shown = (
    <dialog ref={dialog} className="confirm" aria-labelledby={titleId} onClose={() => onOpenChange?.(false)}>
      <h2 id={titleId}>{title}</h2>
      {children(() => dialog.current?.close())}
    </dialog>
  );
  const button = {
    type: 'button',
    disabled: forbidden !== null,
    title: forbidden ?? undefined,
    onClick: open,
  } as const;
  if (menu !== null)
    return (
      <>
        <button {...button} role="menuitem" tabIndex={-1}>
          {label}
          {about === undefined || about === menu.about ? '' : ` ${about}`}…
        </button>
        {createPortal(shown, document.body)}
      </>
    );
  return (
    <>
      <button {...button} aria-label={about === undefined ? undefined : `${label}… ${about}`}>
        {label}…
      </button>
      {shown}
    </>
  );
}
