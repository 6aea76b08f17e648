// What a machine reported before it became absent: it is grey and dated, and has no actions, because nothing reaches the machine.
import type { ReactNode } from 'react';
import { Ago, Time } from './time.tsx';

interface LastSaidProps {
  /** When the machine was heard last. Null if never. */
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
