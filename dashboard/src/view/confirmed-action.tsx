// A button for an action that is asked about once: what it does is said before it is done, and a refusal stays in sight.
import { type ReactNode, useId, useRef } from 'react';
import { Failures } from './refusal.tsx';
import type { MutationControl } from './use-mutation.ts';

interface ConfirmedActionProps {
  /** Of the button: `Drain`. */
  readonly label: string;
  /** `Drain web-1?` */
  readonly question: string;
  /** Why it may not be done; null: it may. */
  readonly forbidden: string | null;
  readonly control: Pick<MutationControl<never, never>, 'isBusy' | 'failures'>;
  /** True when it was carried out. */
  readonly onConfirm: () => Promise<boolean>;
  /** What may be given with it. */
  readonly fields?: ReactNode;
  /** What it does. */
  readonly children: ReactNode;
}

export function ConfirmedAction(props: ConfirmedActionProps) {
  const { label, question, forbidden, control, onConfirm, fields, children } = props;
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
        onClick={() => dialog.current?.showModal()}
      >
        {label}…
      </button>
      <dialog ref={dialog} className="confirm" aria-labelledby={titleId}>
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
