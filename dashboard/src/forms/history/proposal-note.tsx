// A note above a form that a version has filled in: the source of its values, or the reason why there is no way back.
import { Moment } from '../../view/time.tsx';
import type { WayBack } from '../links.ts';
import type { Proposal } from './use-proposal.ts';

interface ProposalNoteProps {
  readonly way: WayBack['way'] | undefined;
  readonly proposal: Proposal;
}

export function ProposalNote({ way, proposal: { changedAt, refusal } }: ProposalNoteProps) {
  if (refusal !== null)
    return (
      <p className="warning" role="alert">
        {refusal}
      </p>
    );
  return (
    <p className="hint" role="status">
      <span>
        {way === 'undo' ? 'The values from before the change of ' : 'The values of '}
        <Moment at={changedAt} />
        {' are filled in. Save to go back to them.'}
      </span>
    </p>
  );
}
