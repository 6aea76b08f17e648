// A note above a form that a version has filled in: the source of its values, or the reason why there is no way back.
import { phraseOf } from '../../../../schema/kinds/words.ts';
import { Moment } from '../../view/time.tsx';
import type { WayBack } from '../links.ts';
import type { Proposal } from './use-proposal.ts';

interface ProposalNoteProps {
  readonly way: WayBack['way'] | undefined;
  readonly proposal: Proposal;
  /** A deleted object is created again. */
  readonly isNew?: true;
}

export function ProposalNote({ way, proposal: { changedAt, missing, refusal }, isNew }: ProposalNoteProps) {
  if (refusal !== null)
    return (
      <p className="warning" role="alert">
        {refusal}
      </p>
    );
  const whose = isNew
    ? 'The settings from before the deletion of '
    : way === 'restore'
      ? 'The values of '
      : 'The values from before the change of ';
  return (
    <p className="hint" role="status">
      <span>
        {whose}
        <Moment at={changedAt} />
        {isNew ? ' are filled in. The object gets a new id.' : ' are filled in. Save to go back to them.'}
        {missing.length > 0 && ` Enter ${missing.map(phraseOf).join(' and ')} again: no history has secrets.`}
      </span>
    </p>
  );
}
