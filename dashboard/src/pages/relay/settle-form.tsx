// Settling an operation without a verdict: an unknown outcome, or a job that the device accepted. Either the driver reads the device, or a
// person reports their findings; a member may only let the driver read, for their own operations.
// Before `quietUntil` the call may still act after the verdict, so it has to be confirmed.
import { useState } from 'react';
import { type RelayOperationSettleInput, RelaySettleDocument } from '../../../../generated/dashboard/graphql.ts';
import { useLiveState, usePage } from '../../context.ts';
import { Countdown, useMsLeft } from '../../view/countdown.tsx';
import { formatWord } from '../../view/format.ts';
import { isMember, isOperator } from '../../view/permissions.ts';
import { Failures } from '../../view/refusal.tsx';
import { useMutation } from '../../view/use-mutation.ts';
import { type Operation, operationKind } from './kinds/operation.ts';

type Verdict = 'SUCCEEDED' | 'FAILED';
type Findings = Omit<RelayOperationSettleInput, 'id' | 'idempotencyKey'>;

const verdicts = [
  { value: 'SUCCEEDED', words: 'It happened' },
  { value: 'FAILED', words: 'It did not happen' },
] as const;

const words = {
  UNKNOWN: {
    title: 'Settle it',
    says: 'The call was sent but no answer came back, so it may have taken effect. It is never repeated automatically.',
    look: 'Probe the device',
    undecided: 'The probe was inconclusive',
  },
  ACCEPTED: {
    title: 'The device accepted it as a job',
    says: "The device has not reported the job's result. It is queried while the caller waits, or by you.",
    look: 'Check the job',
    undecided: 'Not settled',
  },
} as const;

export function isSettleable(operation: Operation): operation is Operation & { readonly state: keyof typeof words } {
  return operation.state in words;
}

export function SettleForm({ operation }: { readonly operation: Operation & { readonly state: keyof typeof words } }) {
  const { store } = usePage();
  const { viewer } = useLiveState();
  const mayDecide = isOperator(viewer, operation.project?.id);
  // The server compares ids, and so also knows the viewer's API tokens.
  const isOwn = viewer !== null && operation.requestedBy.name === viewer.name;
  const mayLook = mayDecide || (isOwn && isMember(viewer, operation.project?.id));
  const isJob = operation.state === 'ACCEPTED';
  const { title, says, look, undecided } = words[operation.state];
  const [found, setFound] = useState('');
  const { isBusy, failures, send } = useMutation(RelaySettleDocument);
  const isQuiet = useMsLeft(operation.quietUntil) > 0;

  const settle = async (input: Findings): Promise<void> => {
    setFound('');
    const payload = await send({ id: operation.id, ...input });
    if (!payload?.operation) return;
    store.take(operationKind, [payload.operation]);
    if (!isSettleable(payload.operation)) return;
    const newest = payload.operation.evidence.at(-1);
    setFound(newest === undefined ? `${undecided}.` : `${undecided}: ${formatWord(newest.finding)}. See the evidence.`);
  };

  return (
    <section className={isJob ? 'settle job' : 'settle'} aria-labelledby="settle-title">
      <h3 id="settle-title">{title}</h3>
      <p>{says}</p>
      {isQuiet && (
        <p className="warning quiet-until">
          For another <Countdown until={operation.quietUntil} /> the call may still take effect.
        </p>
      )}
      {!mayLook && (
        <p className="warning">Only an operator of its project, or the member who made the call, can settle it.</p>
      )}
      <fieldset disabled={!mayLook || isBusy}>
        <legend className="visually-hidden">How to settle it</legend>
        <div className="settle-probe">
          <button type="button" className="primary" onClick={() => void settle({})}>
            {look}
          </button>
          <span className="dim">Read-only on the device.</span>
        </div>
        {mayDecide && (
          <details open={!isJob}>
            <summary>or, if you have checked the device yourself</summary>
            <VerdictForm isQuiet={isQuiet} onVerdict={(findings) => void settle(findings)} />
          </details>
        )}
      </fieldset>
      <p role="status" className="found">
        {isBusy ? 'Asking…' : found}
      </p>
      <Failures failures={failures} />
    </section>
  );
}

interface VerdictFormProps {
  /** The call may still act after a verdict. */
  readonly isQuiet: boolean;
  readonly onVerdict: (findings: Findings) => void;
}

function VerdictForm({ isQuiet, onVerdict }: VerdictFormProps) {
  const [verdict, setVerdict] = useState<Verdict | null>(null);
  const [note, setNote] = useState('');
  const [isForced, setForced] = useState(false);
  const mustForce = verdict !== null && isQuiet;
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        onVerdict({ verdict, note: note.trim(), ...(mustForce ? { force: true } : {}) });
      }}
    >
      {verdicts.map(({ value, words: said }) => (
        <label className="choice" key={value}>
          <input type="radio" name="verdict" checked={verdict === value} onChange={() => setVerdict(value)} />
          {said}
        </label>
      ))}
      <label className="field">
        Reason for the record
        <textarea rows={2} maxLength={1000} required value={note} onChange={(event) => setNote(event.target.value)} />
      </label>
      {mustForce && (
        <label className="choice warning">
          <input type="checkbox" checked={isForced} onChange={(event) => setForced(event.target.checked)} />
          The call may still take effect after this verdict. Record it anyway.
        </label>
      )}
      <button type="submit" disabled={verdict === null || note.trim() === '' || (mustForce && !isForced)}>
        Record the verdict
      </button>
    </form>
  );
}
