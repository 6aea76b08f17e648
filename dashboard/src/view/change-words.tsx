// A status change in one line: the new state first, then what was before it and which status it is.
import { changeWords } from './event-words.ts';

interface ChangeWordsProps {
  readonly change: { readonly kind: string; readonly from: string | null; readonly to: string };
  /** See changeWords. */
  readonly plainChange?: string | undefined;
}

export function ChangeWords({ change, plainChange }: ChangeWordsProps) {
  const { aspect, from, to } = changeWords(change, plainChange);
  return (
    <span className="change">
      <b data-status={change.to}>{to}</b>
      {from !== null && <span className="dim"> was {from}</span>}
      {aspect !== '' && <span className="dim"> · {aspect}</span>}
    </span>
  );
}
