// Optional details of a state that a person sets by hand: its end time and the reason.
import { type ReactNode, useState } from 'react';
import { latestEntered, pointOf, useZone, zoneName } from '../../view/zone.ts';

export interface ByHand {
  /** Null if it holds until it is changed. */
  readonly until: string | null;
  readonly reason: string | null;
}

/** `ends`: whether the state may have an end time. */
export function useByHand(ends: boolean): { readonly given: () => ByHand; readonly fields: ReactNode } {
  const zone = useZone();
  const [until, setUntil] = useState('');
  const [reason, setReason] = useState('');
  const fields = (
    <>
      {ends && (
        <label className="field">
          Until ({zoneName(zone, Date.now())})
          <input
            type="datetime-local"
            max={latestEntered}
            value={until}
            onChange={({ target }) => setUntil(target.value)}
          />
        </label>
      )}
      <label className="field">
        Reason
        <input type="text" maxLength={255} value={reason} onChange={({ target }) => setReason(target.value)} />
      </label>
    </>
  );
  const given = () => ({
    until: ends ? pointOf(until, zone) : null,
    reason: reason.trim() === '' ? null : reason.trim(),
  });
  return { given, fields };
}
