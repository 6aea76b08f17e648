// The last report of an absent machine, in grey and with its time. It has no actions, because the machine can't be reached.
import type { ReactNode } from 'react';
import { Ago, Time } from './time.tsx';

interface LastSaidProps {
  /** When the machine last reported. Null if never. */
  readonly at: string | null;
  readonly children?: ReactNode;
}

export function LastSaid({ at, children }: LastSaidProps) {
  if (at === null) return <p className="last-said">It has not reported yet.</p>;
  return (
    <div className="last-said">
      <p>
        Last report <Ago at={at} />, at <Time at={at} />:
      </p>
      {children}
    </div>
  );
}
