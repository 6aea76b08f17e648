// A button for an action that needs one confirmation: it describes the effect first, and a refusal stays in sight.
import type { ReactNode } from 'react';
import { DialogButton, type DialogButtonProps } from './dialog-button.tsx';
import { Failures } from './refusal.tsx';
import type { MutationControl } from './use-mutation.ts';

interface ConfirmedActionProps extends Omit<DialogButtonProps, 'title' | 'children'> {
  /** `Drain web-1?` */
  readonly question: string;
  readonly control: Pick<MutationControl<never, never>, 'isBusy' | 'failures'>;
  /** True when it was carried out. */
  readonly onConfirm: () => Promise<boolean>;
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
  const { question, control, onConfirm, fields, children, ...button } = props;
  const { isBusy, failures } = control;
  return (
    <DialogButton {...button} title={question}>
      {(close) => (
        <>
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
              {button.label}
            </button>
          </div>
        </>
      )}
    </DialogButton>
  );
}
