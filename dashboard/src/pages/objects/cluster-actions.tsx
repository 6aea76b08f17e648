// Actions of administrators on clusters and their services: add a cluster, let it leave its rings or take part again, remove it;
// drain or forget a service.
import { useState } from 'react';
import { EditLink } from '../../forms/create-link.tsx';
import { ActionsMenu } from '../../view/actions-menu.tsx';
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
  { field: 'zone', label: 'Zone (failure domain)', hint: 'its name' },
  { field: 'weight', label: 'Weight (share of the replicas)', hint: '100' },
  {
    field: 'peerUrls',
    label: 'Server URLs for other clusters',
    hint: 'https://HOST:PORT, separated by spaces',
  },
  { field: 'controllerUrls', label: 'Controller URLs for other clusters', hint: 'https://HOST:PORT' },
  { field: 's3Urls', label: 'URLs for users', hint: 'https://HOST:PORT' },
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
        It takes over its share with the next change of the rings; at once while nothing is stored.
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
          {cluster} is added, but no token was created for its controller. Create one with{' '}
          <code>tidegate machines create {cluster}-1 --role objectcontroller</code>
        </>
      ) : (
        <>
          {cluster} is added. Its controller joins with this token until <Time at={until} />. It is shown only once:{' '}
          <code>{token}</code>
        </>
      )}{' '}
      <button type="button" onClick={onTaken}>
        I have saved it
      </button>
    </p>
  );
}

interface ClusterActionsProps {
  readonly cluster: Cluster;
  /** Those of its services that it can be asked to drain: none while it is absent. */
  readonly services: Controller['services'];
}

export function ClusterActions({ cluster, services }: ClusterActionsProps) {
  const { id, name, clusterState } = cluster;
  const forbidden = useForbidden();
  const { control, set } = useClusterState(id);
  const { control: removing, remove } = useClusterRemove(id);
  return (
    <ActionsMenu about={name}>
      <EditLink kind="ObjectCluster" id={id} />
      {services.map((service) => (
        <ServiceActions key={`${service.role} ${service.name}`} {...{ cluster, service }} />
      ))}
      {clusterState === 'ACTIVE' ? (
        <ConfirmedAction
          label="Evacuate"
          about={name}
          question={`Evacuate ${name}?`}
          {...{ forbidden, control }}
          onConfirm={() => set('DRAINING')}
        >
          With the next change of each ring, its data moves to the other clusters. Then the cluster can be removed.
        </ConfirmedAction>
      ) : (
        <ConfirmedAction
          label="Return to the rings"
          about={name}
          question={`Return ${name} to the rings?`}
          {...{ forbidden, control }}
          onConfirm={() => set('ACTIVE')}
        >
          With the next change of each ring, it gets its share again.
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
        Its controllers are disconnected, and the tokens that it signed become invalid. This is refused while a ring
        contains the cluster: evacuate it and change the rings first.
      </ConfirmedAction>
    </ActionsMenu>
  );
}

interface ServiceActionsProps {
  readonly cluster: Cluster;
  readonly service: Controller['services'][number];
}

function ServiceActions({ cluster, service }: ServiceActionsProps) {
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
          label="Return to service"
          {...{ about, forbidden }}
          question={`Return ${about} to service?`}
          control={undraining}
          onConfirm={undrain}
        >
          It serves users again.
        </ConfirmedAction>
      ) : (
        <ConfirmedAction
          label="Drain"
          {...{ about, forbidden, control }}
          question={`Drain ${about}?`}
          onConfirm={drain}
        >
          It finishes running requests of users and accepts no new ones. It still answers other clusters.
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
          Only a service that no longer reports can be forgotten.
        </ConfirmedAction>
      )}
    </>
  );
}

function words(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== '');
}
