// All that is known of one backend; for an open circuit, how to close it.
import { useLiveState, useParts } from '../context.ts';
import { circuitCloseMutation } from '../graph/documents.ts';
import type { Backend, UserError } from '../graph/types.ts';
import { shownStatus } from './backend-row.tsx';
import { Drawer, Facts } from './drawer.tsx';
import { formatWord } from './format.ts';
import { StatusBadge } from './icons.tsx';
import { maySettle } from './operation-drawer.tsx';
import { Failures } from './refusal.tsx';
import { Age, Time } from './time.tsx';
import { useMutation } from './use-mutation.ts';

interface BackendDrawerProps {
  readonly id: string;
  readonly onClose: () => void;
  readonly onShowOperations: (id: string) => void;
}

export function BackendDrawer({ id, onClose, onShowOperations }: BackendDrawerProps) {
  const { backends, viewer, cursor } = useLiveState();
  const backend = backends.get(id);
  if (backend === undefined) {
    return (
      <Drawer id={id} title="Backend" onClose={onClose}>
        <p className="dim">{cursor === null ? 'Reading…' : 'It is gone, or not in a project of yours.'}</p>
      </Drawer>
    );
  }
  const { health, queue } = backend;
  return (
    <Drawer
      id={id}
      title={
        <>
          {backend.name} <StatusBadge status={shownStatus(backend)} />
        </>
      }
      onClose={onClose}
    >
      {health.message !== null && backend.operatingStatus !== 'ONLINE' && (
        <div className="device-error" data-state="FAILED">
          <pre>{health.message}</pre>
        </div>
      )}
      {backend.circuit.state !== 'CLOSED' && (
        <CircuitForm backend={backend} isAllowed={maySettle(viewer, backend.project?.id)} key={id} />
      )}
      {backend.hostKeySha256 === null && (
        <p className="warning">
          No host key is accepted yet, so no call can be made. Compare it with the device's own, then use the mutation{' '}
          <code>backendHostKeyAccept</code>.
        </p>
      )}
      <p>
        <button type="button" onClick={() => onShowOperations(id)}>
          Show only its operations
        </button>
      </p>
      <Facts
        facts={[
          { name: 'Address', value: <code>{`${backend.host} port ${backend.port}`}</code> },
          { name: 'Kind', value: `${formatWord(backend.family)} ${backend.ordinal}, driver ${backend.driver}` },
          { name: 'Version', value: health.softwareVersion },
          { name: 'Project', value: backend.project?.name },
          { name: 'Site', value: backend.site },
          { name: 'Labels', value: backend.labels.map((label) => `${label.name}=${label.value}`).join(', ') },
          {
            name: 'Last check',
            value:
              health.checkedAt === null ? (
                'not yet'
              ) : (
                <>
                  <Age at={health.checkedAt} /> ago{health.latencyMs !== null && `, ${health.latencyMs} ms`}
                </>
              ),
          },
          { name: 'Circuit', value: formatWord(backend.circuit.state) },
          {
            name: 'Queue',
            value: `${queue.inFlight} on the wire, ${queue.waiting} waiting, at most ${queue.limit} may wait`,
          },
          { name: 'Held by', value: queue.holder ?? 'no relay process' },
          { name: 'Host key', value: backend.hostKeySha256 === null ? null : <code>{backend.hostKeySha256}</code> },
          { name: 'Id', value: <code>{backend.id}</code> },
        ]}
      />
    </Drawer>
  );
}

function CircuitForm({ backend, isAllowed }: { readonly backend: Backend; readonly isAllowed: boolean }) {
  const { store } = useParts();
  const { isBusy, failures, send } = useMutation<{
    readonly backend: Backend | null;
    readonly userErrors: readonly UserError[];
  }>(circuitCloseMutation, 'backendCircuitClose');
  const close = async (): Promise<void> => {
    const payload = await send({ id: backend.id });
    if (payload?.backend) store.backends([payload.backend]);
  };
  return (
    <section className="settle circuit" aria-labelledby="circuit-title">
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
      </p>
      <button type="button" className="primary" disabled={!isAllowed || isBusy} onClick={() => void close()}>
        Close the circuit
      </button>
      {!isAllowed && <p className="dim">Only an operator of its project can.</p>}
      <Failures failures={failures} />
    </section>
  );
}
