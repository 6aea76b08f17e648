// Settling an unknown outcome: let the driver look, or say what a person found. Before `quietUntil` "it did not happen" may
// still turn out wrong, so it must be said twice.
import { useState } from 'react';
import { useParts } from '../context.ts';
import { operationSettleMutation } from '../graph/documents.ts';
import type { Operation, UserError } from '../graph/types.ts';
import { useClock } from './clock.ts';
import { formatDuration } from './format.ts';
import { Failures } from './refusal.tsx';
import { useMutation } from './use-mutation.ts';

interface SettleFormProps {
  readonly operation: Operation;
  readonly isAllowed: boolean;
}

interface SettlePayload {
  readonly operation: Operation | null;
  readonly userErrors: readonly UserError[];
}

type Verdict = 'SUCCEEDED' | 'FAILED';

export function SettleForm({ operation, isAllowed }: SettleFormProps) {
  const { store } = useParts();
  const [verdict, setVerdict] = useState<Verdict | null>(null);
  const [note, setNote] = useState('');
  const [isForced, setForced] = useState(false);
  const [found, setFound] = useState('');
  const { isBusy, failures, send } = useMutation<SettlePayload>(operationSettleMutation, 'operationSettle');
  const quietMs = useClock((nowMs) =>
    operation.quietUntil === null
      ? 0
      : Math.max(0, 1000 * Math.ceil((Date.parse(operation.quietUntil) - nowMs) / 1000)),
  );
  const mustForce = verdict === 'FAILED' && quietMs > 0;

  const settle = async (input: Readonly<Record<string, unknown>>): Promise<void> => {
    setFound('');
    const payload = await send({ id: operation.id, ...input });
    if (!payload?.operation) return;
    store.operations([payload.operation]);
    if (payload.operation.state === 'UNKNOWN') setFound('The probe could not tell. See the evidence below.');
  };

  return (
    <section className="settle" aria-labelledby="settle-title">
      <h3 id="settle-title">Settle it</h3>
      <p>It was sent, and no verdict came back: it may have happened. It is never repeated by itself.</p>
      {quietMs > 0 && (
        <p className="warning">
          For another <b>{formatDuration(quietMs)}</b> the call may still take effect.
        </p>
      )}
      {!isAllowed && <p className="warning">Only an operator of its project can settle it.</p>}
      <fieldset disabled={!isAllowed || isBusy}>
        <legend className="visually-hidden">How to settle it</legend>
        <div className="settle-probe">
          <button type="button" className="primary" onClick={() => void settle({})}>
            Probe the device
          </button>
          <span className="dim">Reads from the device; changes nothing there.</span>
        </div>
        <form
          onSubmit={(event) => {
            event.preventDefault();
            void settle({ verdict, note: note.trim(), ...(mustForce ? { force: true } : {}) });
          }}
        >
          <p className="or">or, if you looked yourself:</p>
          <label className="choice">
            <input
              type="radio"
              name="verdict"
              checked={verdict === 'SUCCEEDED'}
              onChange={() => setVerdict('SUCCEEDED')}
            />
            It happened
          </label>
          <label className="choice">
            <input type="radio" name="verdict" checked={verdict === 'FAILED'} onChange={() => setVerdict('FAILED')} />
            It did not happen
          </label>
          <label className="field">
            How you know, for the record
            <textarea
              rows={2}
              maxLength={1000}
              required
              value={note}
              onChange={(event) => setNote(event.target.value)}
            />
          </label>
          {mustForce && (
            <label className="choice warning">
              <input type="checkbox" checked={isForced} onChange={(event) => setForced(event.target.checked)} />
              It may still happen after I say that it did not. Record it anyway.
            </label>
          )}
          <button type="submit" disabled={verdict === null || note.trim() === '' || (mustForce && !isForced)}>
            Record the verdict
          </button>
        </form>
      </fieldset>
      <p role="status" className="found">
        {isBusy ? 'Asking…' : found}
      </p>
      <Failures failures={failures} />
    </section>
  );
}
