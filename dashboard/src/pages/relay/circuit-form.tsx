// A circuit that is not closed: the reason, since when, and how to close it.

import { RelayCircuitCloseDocument } from '../../../../generated/dashboard/graphql.ts';
import { useLiveState, usePage } from '../../context.ts';
import { Reason } from '../../view/device-fault.tsx';
import { formatWord } from '../../view/format.ts';
import { isOperator } from '../../view/permissions.ts';
import { Failures } from '../../view/refusal.tsx';
import { Time } from '../../view/time.tsx';
import { useMutation } from '../../view/use-mutation.ts';
import { type Backend, backendKind } from './kinds/backend.ts';

export function CircuitForm({ backend }: { readonly backend: Backend }) {
  const { store } = usePage();
  const { viewer } = useLiveState();
  const isAllowed = isOperator(viewer, backend.project?.id);
  const { isBusy, failures, send } = useMutation(RelayCircuitCloseDocument);
  const close = async (): Promise<void> => {
    const payload = await send({ id: backend.id });
    if (payload?.backend) store.take(backendKind, [payload.backend]);
  };
  return (
    <section className="settle alarm" aria-labelledby="circuit-title">
      <h3 id="circuit-title">The circuit is {formatWord(backend.circuit.state)}</h3>
      <p>
        <Reason text={backend.circuit.reason ?? 'Calls kept failing'} />
        {backend.circuit.since !== null && (
          <>
            {' '}
            – since <Time at={backend.circuit.since} />
          </>
        )}
      </p>
      <p>
        {backend.circuit.state === 'OPEN' ? 'Calls are refused until it is closed.' : 'One trial call is allowed.'}
        {backend.presented !== null && ' Accepting the new key also closes it.'}
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
        {!isAllowed && <span className="dim">Only an operator of its project can close it.</span>}
      </div>
      <Failures failures={failures} />
    </section>
  );
}
