// A circuit that is not closed: why, since when, and how to close it.
import { useLiveState, useParts } from '../context.ts';
import { circuitCloseMutation } from '../graph/documents.ts';
import type { Backend, UserError } from '../graph/types.ts';
import { formatWord } from './format.ts';
import { isOperator } from './permissions.ts';
import { Failures } from './refusal.tsx';
import { Time } from './time.tsx';
import { useMutation } from './use-mutation.ts';

export function CircuitForm({ backend }: { readonly backend: Backend }) {
  const { store } = useParts();
  const { viewer } = useLiveState();
  const isAllowed = isOperator(viewer, backend.project?.id);
  const { isBusy, failures, send } = useMutation<{
    readonly backend: Backend | null;
    readonly userErrors: readonly UserError[];
  }>(circuitCloseMutation, 'backendCircuitClose');
  const close = async (): Promise<void> => {
    const payload = await send({ id: backend.id });
    if (payload?.backend) store.backends([payload.backend]);
  };
  return (
    <section className="settle alarm" aria-labelledby="circuit-title">
      <h3 id="circuit-title">The circuit is {formatWord(backend.circuit.state)}</h3>
      <p>
        {backend.circuit.reason ?? 'It kept failing'}
        {backend.circuit.since !== null && (
          <>
            {' '}
            – since <Time at={backend.circuit.since} />
          </>
        )}
      </p>
      <p>
        {backend.circuit.state === 'OPEN' ? 'Calls are refused until it is closed.' : 'One call is let through to try.'}
        {backend.presented !== null && ' Accepting what it shows closes it too.'}
      </p>
      <div className="actions">
        <button
          type="button"
          className={backend.presented === null ? 'primary' : ''}
          disabled={!isAllowed || isBusy}
          onClick={() => void close()}
        >
          Close the circuit
        </button>
        {!isAllowed && <span className="dim">Only an operator of its project can.</span>}
      </div>
      <Failures failures={failures} />
    </section>
  );
}
