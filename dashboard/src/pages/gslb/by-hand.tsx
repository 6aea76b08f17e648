// What a person may give with what they set by hand: until when, and why.
import { type ReactNode, useState } from 'react';

export interface ByHand {
  /** Null: until it is changed. */
  readonly until: string | null;
  readonly reason: string | null;
}

/** `ends`: whether it may have an end. */
export function useByHand(ends: boolean): { readonly given: () => ByHand; readonly fields: ReactNode } {
  const [until, setUntil] = useState('');
  const [reason, setReason] = useState('');
  const fields = (
    <>
      {ends && (
        <label className="field">
          Until
          <input type="datetime-local" value={until} onChange={({ target }) => setUntil(target.value)} />
        </label>
      )}
      <label className="field">
        Reason
        <input type="text" maxLength={255} value={reason} onChange={({ target }) => setReason(target.value)} />
      </label>
    </>
  );
  const given = () => ({
    until: ends && until !== '' ? new Date(until).toISOString() : null,
    reason: reason.trim() === '' ? null : reason.trim(),
  });
  return { given, fields };
}
