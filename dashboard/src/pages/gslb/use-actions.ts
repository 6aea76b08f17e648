// What a person may do by hand. Each gives back the changed entity, which the store takes at once; the feed then brings the change. Zones are
// no entities of the page: they are read again.
import {
  GslbAdminStateDocument,
  GslbFreezeNameDocument,
  GslbKeyRollBeginDocument,
  GslbKeyRollCancelDocument,
  GslbKeyRollConfirmDocument,
  GslbReleaseDocument,
} from '../../../../generated/dashboard/graphql.ts';
import { useLiveState, usePage } from '../../context.ts';
import { isMember } from '../../view/permissions.ts';
import { useMutation } from '../../view/use-mutation.ts';
import type { ByHand } from './by-hand.tsx';
import { type Member, memberKind } from './kinds/member.ts';
import { nameKind } from './kinds/name.ts';

/** Why the viewer may not change what belongs to this project; null: they may. */
export function useForbidden(projectId: string | undefined): string | null {
  const { viewer } = useLiveState();
  return isMember(viewer, projectId) ? null : 'Only members of its project can do this.';
}

export function useAdminState(id: string) {
  const { store } = usePage();
  const control = useMutation(GslbAdminStateDocument);
  const set = async (state: Member['adminState'], { until, reason }: ByHand): Promise<boolean> => {
    const payload = await control.send({ id, state, until, reason });
    if (payload?.gslbPoolMember) store.take(memberKind, [payload.gslbPoolMember]);
    return payload !== undefined;
  };
  return { control, set };
}

export function useRelease(id: string) {
  const { store } = usePage();
  const control = useMutation(GslbReleaseDocument);
  const release = async (): Promise<boolean> => {
    const payload = await control.send({ id });
    if (payload?.gslbPoolMember) store.take(memberKind, [payload.gslbPoolMember]);
    return payload !== undefined;
  };
  return { control, release };
}

export function useFreeze(id: string) {
  const { store } = usePage();
  const control = useMutation(GslbFreezeNameDocument);
  const freeze = async (frozen: boolean, { until, reason }: ByHand): Promise<boolean> => {
    const payload = await control.send({ id, frozen, until, reason });
    if (payload?.gslb) store.take(nameKind, [payload.gslb]);
    return payload !== undefined;
  };
  return { control, freeze };
}

export function useKeyRollBegin(id: string, onDone: () => void) {
  const control = useMutation(GslbKeyRollBeginDocument);
  return { control, begin: () => told(control.send({ id }), onDone) };
}

export function useKeyRollCancel(id: string, onDone: () => void) {
  const control = useMutation(GslbKeyRollCancelDocument);
  return { control, cancel: () => told(control.send({ id }), onDone) };
}

export function useKeyRollConfirm(id: string, onDone: () => void) {
  const control = useMutation(GslbKeyRollConfirmDocument);
  return { control, confirm: (keyTag: number) => told(control.send({ id, keyTag }), onDone) };
}

async function told(sent: Promise<unknown>, onDone: () => void): Promise<boolean> {
  if ((await sent) === undefined) return false;
  onDone();
  return true;
}
