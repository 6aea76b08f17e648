// A button for an action that needs one confirmation: it describes the effect first, and a refusal stays in sight.
import { type ReactNode, useId, useRef } from 'react';
import { Failures } from './refusal.tsx';
import type { MutationControl } from './use-mutation.ts';

interface ConfirmedActionProps {
  /** The button's text, such as `Drain`. */
  readonly label: string;
  /** The object of the action, read out with the label, if several buttons have the same label. */
  readonly about?: string;
  /** `Drain web-1?` */
  readonly question: string;
  /** Why the action is not allowed. Null if it is. */
  readonly forbidden: string | null;
  readonly control: Pick<MutationControl<never, never>, 'isBusy' | 'failures'>;
  /** True when it was carried out. */
  readonly onConfirm: () => Promise<boolean>;
  /** True when the question is asked, false when it is over. */
  readonly onOpenChange?: (isOpen: boolean) => void;
  /** Optional inputs of the action. */
  readonly fields?: ReactNode;
  /** Description of the effect. */
  readonly children: ReactNode;
}

/** Pause and resume may take each other's place at any time: an open question goes, and never turns into the other one under a click. */
export function ConfirmedAction(props: ConfirmedActionProps) {
  return <AskedAction key={props.label} {...props} />;
}

function AskedAction(props: ConfirmedActionProps) {
  const { label, about, question, forbidden, control, onConfirm, onOpenChange, fields, children } = props;
  const dialog = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  const { isBusy, failures } = control;
  const close = (): void => dialog.current?.close();
  return (
    <>
      <button
        type="button"
        disabled={forbidden !== null}
        title={forbidden ?? undefined}
        aria-label={about === undefined ? undefined : `${label}… ${about}`}
        onClick={() => {
          dialog.current?.showModal();
          onOpenChange?.(true);
        }}
      >
        {label}…
      </button>
      <dialog ref={dialog} className="confirm" aria-labelledby={titleId} onClose={() => onOpenChange?.(false)}>
        <h2 id={titleId}>{question}</h2>
        <p>{children}</p>
        {fields}
        <Failures failures={failures} />
        <div className="actions">
          <button type="button" onClick={close}>
            Cancel
          </button>
          <button
            type="button"
            className="primary"
            disabled={isBusy}
            aria-busy={isBusy}
            onClick={() => void onConfirm().then((isDone) => isDone && close())}
          >
            {label}
          </button>
        </div>
      </dialog>
    </>
  );
}
