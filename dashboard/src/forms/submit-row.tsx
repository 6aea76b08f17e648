// The button that sends a form, and why it can't be sent.
import type { ReactNode } from 'react';

interface SubmitRowProps {
  readonly label: string;
  /** Why it is not allowed. */
  readonly forbidden: string | null;
  readonly isDisabled: boolean;
  readonly isBusy: boolean;
  readonly children?: ReactNode;
}

export function SubmitRow({ label, forbidden, isDisabled, isBusy, children }: SubmitRowProps) {
  return (
    <div className="actions">
      <button
        type="submit"
        className="primary"
        disabled={forbidden !== null || isDisabled}
        title={forbidden ?? undefined}
        aria-busy={isBusy}
      >
        {label}
      </button>
      {forbidden !== null && <span className="dim">{forbidden}</span>}
      {children}
    </div>
  );
}
