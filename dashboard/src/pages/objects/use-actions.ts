// Actions of administrators. If an action returns the changed cluster, it is shown at once; otherwise the feed or the next poll brings the change.
import {
  ObjectsClusterAddDocument,
  type ObjectsClusterAddMutationVariables,
  ObjectsClusterRemoveDocument,
  ObjectsClusterStateDocument,
  ObjectsMachineInviteDocument,
  ObjectsOptionCreateDocument,
  type ObjectsOptionCreateMutationVariables,
  ObjectsOptionDefaultDocument,
  ObjectsOptionDeleteDocument,
  ObjectsOptionKeepDocument,
  ObjectsRingCancelDocument,
  ObjectsRingChangeDocument,
  ObjectsRingPauseDocument,
  ObjectsRingResumeDocument,
  ObjectsServiceDrainDocument,
  ObjectsServiceRemoveDocument,
  ObjectsServiceUndrainDocument,
} from '../../../../generated/dashboard/graphql.ts';
import { useLiveState, usePage } from '../../context.ts';
import { useMutation } from '../../view/use-mutation.ts';
import { type Cluster, clusterKind } from './kinds/cluster.ts';

/** Why the viewer may not change anything here. Null if they may. */
export function useForbidden(): string | null {
  const { viewer } = useLiveState();
  return viewer?.admin === true ? null : 'Only administrators can do this.';
}

/** The token with which the first controller of a new cluster joins: it is shown once. */
export interface Invitation {
  readonly cluster: string;
  /** Null if none was made. */
  readonly token: string | null;
  readonly until: string | null;
}

export function useClusterAdd(onInvited: (invitation: Invitation) => void) {
  const { store } = usePage();
  const adding = useMutation(ObjectsClusterAddDocument);
  const inviting = useMutation(ObjectsMachineInviteDocument);
  const control = { isBusy: adding.isBusy || inviting.isBusy, failures: adding.failures };
  const add = async (wish: Omit<ObjectsClusterAddMutationVariables['input'], 'idempotencyKey'>): Promise<boolean> => {
    const payload = await adding.send(wish);
    if (payload?.objectCluster == null) return false;
    store.take(clusterKind, [payload.objectCluster]);
    const invited = await inviting.send({ name: wish.name, machineRole: 'OBJECTCONTROLLER' });
    onInvited({
      cluster: wish.name,
      token: invited?.joinToken ?? null,
      until: invited?.joinTokenExpiresAt ?? null,
    });
    return true;
  };
  return { control, add };
}

export function useClusterState(id: string) {
  const { store } = usePage();
  const control = useMutation(ObjectsClusterStateDocument);
  const set = async (clusterState: Cluster['clusterState']): Promise<boolean> => {
    const payload = await control.send({ id, clusterState });
    if (payload?.objectCluster) store.take(clusterKind, [payload.objectCluster]);
    return payload !== undefined;
  };
  return { control, set };
}

/** The feed brings its end. */
export function useClusterRemove(id: string) {
  const control = useMutation(ObjectsClusterRemoveDocument);
  return { control, remove: async (): Promise<boolean> => (await control.send({ id })) !== undefined };
}

interface Service {
  readonly role: string;
  readonly name: string;
}

/** The cluster stores it, and its controller reports it at the next poll. */
export function useServiceDrain(clusterId: string, { role, name }: Service) {
  const control = useMutation(ObjectsServiceDrainDocument);
  const drain = async (): Promise<boolean> => (await control.send({ clusterId, role, name })) !== undefined;
  return { control, drain };
}

export function useServiceUndrain(clusterId: string, { role, name }: Service) {
  const control = useMutation(ObjectsServiceUndrainDocument);
  const undrain = async (): Promise<boolean> => (await control.send({ clusterId, role, name })) !== undefined;
  return { control, undrain };
}

export function useServiceRemove(clusterId: string, { role, name }: Service) {
  const control = useMutation(ObjectsServiceRemoveDocument);
  return {
    control,
    remove: async (): Promise<boolean> => (await control.send({ clusterId, role, name })) !== undefined,
  };
}

export type OptionWish = Omit<ObjectsOptionCreateMutationVariables['input'], 'idempotencyKey'>;

export function useOptionCreate() {
  const control = useMutation(ObjectsOptionCreateDocument);
  return { control, create: async (wish: OptionWish): Promise<boolean> => (await control.send(wish)) !== undefined };
}

export function useOptionDefault(id: string) {
  const control = useMutation(ObjectsOptionDefaultDocument);
  const makeDefault = async (): Promise<boolean> => (await control.send({ id, default: true })) !== undefined;
  return { control, makeDefault };
}

export function useOptionDelete(id: string) {
  const control = useMutation(ObjectsOptionDeleteDocument);
  return { control, remove: async (): Promise<boolean> => (await control.send({ id })) !== undefined };
}

export function useOptionKeep(id: string) {
  const control = useMutation(ObjectsOptionKeepDocument);
  return { control, keep: async (): Promise<boolean> => (await control.send({ id })) !== undefined };
}

export function useRingChange(number: number) {
  const control = useMutation(ObjectsRingChangeDocument);
  return { control, start: async (): Promise<boolean> => (await control.send({ number })) !== undefined };
}

export function useRingPause(id: string) {
  const control = useMutation(ObjectsRingPauseDocument);
  return { control, pause: async (): Promise<boolean> => (await control.send({ id })) !== undefined };
}

export function useRingResume(id: string) {
  const control = useMutation(ObjectsRingResumeDocument);
  return { control, resume: async (): Promise<boolean> => (await control.send({ id })) !== undefined };
}

export function useRingCancel(id: string) {
  const control = useMutation(ObjectsRingCancelDocument);
  return { control, cancel: async (): Promise<boolean> => (await control.send({ id })) !== undefined };
}
