// The details of one backend: problems first, with their remedies.
import { type BackendDetailFieldsFragment, RelayBackendDocument } from '../../../../generated/dashboard/graphql.ts';
import { useEntities } from '../../context.ts';
import { EditLink } from '../../forms/create-link.tsx';
import { Drawer, type Fact, Facts } from '../../view/drawer.tsx';
import { formatDuration, formatWord } from '../../view/format.ts';
import { Link } from '../../view/link.tsx';
import { Ago, Moment } from '../../view/time.tsx';
import { useOpened } from '../../view/use-opened.ts';
import { shownStatus } from './backend-row.tsx';
import { CircuitForm } from './circuit-form.tsx';
import { type Backend, backendKind } from './kinds/backend.ts';
import { driftIn, mappingKind } from './kinds/mapping.ts';
import { StatusBadge } from './marks.tsx';
import { ProofForm } from './proof-form.tsx';
import { QueueBar } from './queue.tsx';

interface BackendDrawerProps {
  readonly id: string;
  readonly onClose: () => void;
  readonly onShowOnly: (id: string) => void;
}

export function BackendDrawer({ id, onClose, onShowOnly }: BackendDrawerProps) {
  const mappings = useEntities(mappingKind);
  // The page lists only a bounded number.
  const { entity: backend, detail, instead } = useOpened(backendKind, RelayBackendDocument, id);
  if (backend === undefined) {
    return (
      <Drawer id={id} title="Backend" onClose={onClose}>
        <p className="dim">{instead}</p>
      </Drawer>
    );
  }
  const { health } = backend;
  const drifted = driftIn(mappings).filter((mapping) => mapping.backend?.id === id).length;
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
      <ProofForm backend={backend} key={`proof ${id}`} />
      {backend.circuit.state !== 'CLOSED' && <CircuitForm backend={backend} key={`circuit ${id}`} />}
      <div className="actions">
        <button type="button" onClick={() => onShowOnly(id)}>
          Filter by this backend
        </button>
        <Link href={`/backend?id=${encodeURIComponent(id)}`}>Calls, objects and examples</Link>
        <EditLink kind="Backend" id={id} projectId={backend.project?.id} />
        {drifted > 0 && (
          <span className="dim">
            {drifted} of its objects {drifted === 1 ? 'has' : 'have'} drifted
          </span>
        )}
      </div>
      <Group title="Device" facts={deviceFacts(backend)} />
      <Group title="Trust" facts={trustFacts(backend, detail)} />
      <Group title="Calls" facts={callFacts(backend, detail)} />
      <Group title="Registered" facts={registrationFacts(backend, detail)} />
    </Drawer>
  );
}

function Group({ title, facts }: { readonly title: string; readonly facts: readonly Fact[] }) {
  return (
    <section>
      <h3>{title}</h3>
      <Facts facts={facts} />
    </section>
  );
}

function deviceFacts(backend: Backend): readonly Fact[] {
  const { family, ordinal, driverName, host, port, transport, health } = backend;
  const { checkedAt, latencyMs, softwareVersion } = health;
  const isOld = backend.operatingStatus !== 'ONLINE';
  return [
    { name: 'Family', value: `${formatWord(family)} ${ordinal}` },
    { name: 'Driver', value: <span className="mono">{driverName}</span> },
    {
      name: 'Software',
      value:
        softwareVersion === null ? (
          <span className="dim">not known yet</span>
        ) : (
          <>
            {softwareVersion}
            {isOld && <span className="dim"> when it last answered</span>}
          </>
        ),
    },
    { name: 'Serial', value: health.serial === null ? null : <code>{health.serial}</code> },
    {
      name: 'Address',
      value: (
        <>
          {transport} <code>{`${host} port ${port}`}</code>
        </>
      ),
    },
    {
      name: 'Last check',
      value:
        checkedAt === null ? (
          'not yet'
        ) : (
          <>
            <Ago at={checkedAt} />
            {latencyMs !== null && `, took ${latencyMs} ms`}
          </>
        ),
    },
  ];
}

function trustFacts(backend: Backend, detail: BackendDetailFieldsFragment | null): readonly Fact[] {
  const { hostKeySha256, certificateSha256, cryptoProfile } = backend;
  const hasAuthorities = detail?.caCertificates != null;
  const hasNothing = hostKeySha256 === null && certificateSha256 === null && detail !== null && !hasAuthorities;
  return [
    { name: 'Host key', value: hostKeySha256 === null ? null : <code>{hostKeySha256}</code> },
    { name: 'Certificate', value: certificateSha256 === null ? null : <code>{certificateSha256}</code> },
    { name: 'Authorities', value: hasAuthorities ? 'those registered with it may sign its certificate' : null },
    { name: 'Accepted', value: hasNothing ? 'none yet: no calls can be made' : null },
    {
      name: 'Cryptography',
      value: (
        <>
          {formatWord(cryptoProfile)}
          {cryptoProfile === 'LEGACY' && <span className="risk"> – weak algorithms are allowed</span>}
        </>
      ),
    },
    { name: 'Log in with', value: detail?.credentialFields.map(spaced).join(', ') },
  ];
}

function callFacts({ queue, circuit }: Backend, detail: BackendDetailFieldsFragment | null): readonly Fact[] {
  return [
    { name: 'Queue', value: <QueueBar queue={queue} /> },
    {
      name: 'Concurrency',
      value: detail === null ? null : `${detail.limits.concurrency}, one at a time on one object`,
    },
    { name: 'Deadline', value: detail === null ? null : formatDuration(detail.limits.deadlineMs) },
    { name: 'Held by', value: queue.holder ?? 'none' },
    {
      name: 'Circuit',
      value: (
        <>
          {formatWord(circuit.state)}
          {circuit.since !== null && (
            <>
              {' since '}
              <Moment at={circuit.since} />
            </>
          )}
        </>
      ),
    },
    { name: 'INIT calls', value: detail === null ? null : detail.allowInit ? 'allowed' : 'not allowed' },
    ...(detail?.separateObjects === true ? [{ name: 'Device', value: 'also used by other backends' }] : []),
  ];
}

function registrationFacts(backend: Backend, detail: BackendDetailFieldsFragment | null): readonly Fact[] {
  const options = Object.entries((detail?.options ?? {}) as Readonly<Record<string, unknown>>);
  return [
    { name: 'Project', value: backend.project?.name },
    { name: 'Site', value: backend.site },
    { name: 'Labels', value: backend.labels.map((label) => `${label.name}=${label.value}`).join(', ') },
    {
      name: 'Options',
      value:
        options.length === 0 ? null : options.map(([name, value]) => `${name}=${JSON.stringify(value)}`).join(', '),
    },
    { name: 'Created', value: detail === null ? null : <Moment at={detail.createdAt} /> },
    { name: 'Id', value: <code>{backend.id}</code> },
  ];
}

/** privateKey → private key. */
function spaced(name: string): string {
  return name.replace(/([A-Z])/g, ' $1').toLowerCase();
}
