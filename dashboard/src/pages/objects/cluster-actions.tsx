// Actions of administrators on clusters and their services: add a cluster, let it leave its rings or take part again, remove it;
// drain or forget a service.
import { useState } from 'react';
import { ConfirmedAction } from '../../view/confirmed-action.tsx';
import { Time } from '../../view/time.tsx';
import type { Cluster, Controller } from './kinds/cluster.ts';
import {
  type Invitation,
  useClusterAdd,
  useClusterRemove,
  useClusterState,
  useForbidden,
  useServiceDrain,
  useServiceRemove,
  useServiceUndrain,
} from './use-actions.ts';

const noWish = { name: '', zone: '', weight: '100', peerUrls: '', controllerUrls: '', s3Urls: '' };
const fieldNames = [
  { field: 'name', label: 'Name', hint: 'north' },
  { field: 'zone', label: 'Zone: what fails together with it', hint: 'its name' },
  { field: 'weight', label: 'Weight: its share of the replicas', hint: '100' },
  {
    field: 'peerUrls',
    label: 'Where other clusters reach its servers',
    hint: 'https://HOST:PORT, several with spaces',
  },
  { field: 'controllerUrls', label: 'Where other clusters reach its controllers', hint: 'https://HOST:PORT' },
  { field: 's3Urls', label: 'Where users reach it', hint: 'https://HOST:PORT' },
] as const;

export function AddCluster({ onInvited }: { readonly onInvited: (invitation: Invitation) => void }) {
  const forbidden = useForbidden();
  const { control, add } = useClusterAdd(onInvited);
  const [given, setGiven] = useState(noWish);
  const confirm = async (): Promise<boolean> => {
    const { name, zone, weight, peerUrls, controllerUrls, s3Urls } = given;
    const isDone = await add({
      ...{ name: name.trim(), zone: zone.trim() === '' ? null : zone.trim(), weight: Number(weight) },
      ...{ peerUrls: words(peerUrls), controllerUrls: words(controllerUrls), s3Urls: words(s3Urls) },
    });
    if (isDone) setGiven(noWish);
    return isDone;
  };
  const fields = fieldNames.map(({ field, label, hint }) => (
    <label key={field} className="field">
      {label}
      <input
        type={field === 'weight' ? 'number' : 'text'}
        placeholder={hint}
        value={given[field]}
        onChange={({ target }) => setGiven((before) => ({ ...before, [field]: target.value }))}
      />
    </label>
  ));
  return (
    <span className="tools">
      <ConfirmedAction
        label="Add a cluster"
        question="Add a cluster?"
        {...{ forbidden, control, fields }}
        onConfirm={confirm}
      >
        It takes over its share when the rings are changed; as long as nothing is stored, at once.
      </ConfirmedAction>
    </span>
  );
}

interface InvitationNoteProps {
  readonly invitation: Invitation;
  readonly onTaken: () => void;
}

export function InvitationNote({ invitation: { cluster, token, until }, onTaken }: InvitationNoteProps) {
  return (
    <p className="invitation" role="status">
      {token === null || until === null ? (
        <>
          {cluster} is added, but no token was made for its controller: make one with{' '}
          <code>tidegate machines create {cluster}-1 --role objectcontroller</code>
        </>
      ) : (
        <>
          {cluster} is added. Its controller joins with this token until <Time at={until} />, which is not shown again:{' '}
          <code>{token}</code>
        </>
      )}{' '}
      <button type="button" onClick={onTaken}>
        I have it
      </button>
    </p>
  );
}

export function ClusterActions({ cluster: { id, name, clusterState } }: { readonly cluster: Cluster }) {
  const forbidden = useForbidden();
  const { control, set } = useClusterState(id);
  const { control: removing, remove } = useClusterRemove(id);
  return (
    <div className="actions">
      {clusterState === 'ACTIVE' ? (
        <ConfirmedAction
          label="Leave all rings"
          about={name}
          question={`Let ${name} leave all rings?`}
          {...{ forbidden, control }}
          onConfirm={() => set('DRAINING')}
        >
          When each ring is changed, what it holds moves to the others. It can be removed then.
        </ConfirmedAction>
      ) : (
        <ConfirmedAction
          label="Take part again"
          about={name}
          question={`Let ${name} take part again?`}
          {...{ forbidden, control }}
          onConfirm={() => set('ACTIVE')}
        >
          When each ring is changed, it gets its share again.
        </ConfirmedAction>
      )}
      <ConfirmedAction
        label="Remove"
        about={name}
        question={`Remove ${name}?`}
        forbidden={forbidden}
        control={removing}
        onConfirm={remove}
      >
        Its controllers are disconnected, and tokens that it signed end. This is refused while a ring has it: let it
        leave all rings first, and change them.
      </ConfirmedAction>
    </div>
  );
}

interface ServiceActionsProps {
  readonly cluster: Cluster;
  readonly service: Controller['services'][number];
}

export function ServiceActions({ cluster, service }: ServiceActionsProps) {
  const { role, name, drained, ready } = service;
  const forbidden = useForbidden();
  const { control, drain } = useServiceDrain(cluster.id, service);
  const { control: undraining, undrain } = useServiceUndrain(cluster.id, service);
  const { control: removing, remove } = useServiceRemove(cluster.id, service);
  const about = `${role} ${name}`;
  return (
    <>
      {drained ? (
        <ConfirmedAction
          label="Serve again"
          {...{ about, forbidden }}
          question={`Let ${about} serve users again?`}
          control={undraining}
          onConfirm={undrain}
        >
          It takes users again.
        </ConfirmedAction>
      ) : (
        <ConfirmedAction
          label="Drain"
          {...{ about, forbidden, control }}
          question={`Drain ${about}?`}
          onConfirm={drain}
        >
          It ends what users have begun, and takes no more from them. It goes on to answer other clusters.
        </ConfirmedAction>
      )}
      {!ready && !drained && (
        <ConfirmedAction
          label="Forget"
          {...{ about, forbidden }}
          question={`Forget ${about}?`}
          control={removing}
          onConfirm={remove}
        >
          Only one that is silent is forgotten.
        </ConfirmedAction>
      )}
    </>
  );
}

function words(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== '');
}
