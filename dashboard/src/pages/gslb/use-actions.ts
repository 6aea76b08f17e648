// Actions of a person. Zones are no entities of the page: they are read again.
import {
  GslbAdminStateDocument,
  GslbFreezeNameDocument,
  GslbKeyRollBeginDocument,
  GslbKeyRollCancelDocument,
  GslbKeyRollConfirmDocument,
  GslbReleaseDocument,
  GslbUnfreezeNameDocument,
} from '../../../../generated/dashboard/graphql.ts';
import { useChange } from '../../view/use-change.ts';
import { useMutation } from '../../view/use-mutation.ts';
import type { ByHand } from './by-hand.tsx';
import { type Member, memberKind } from './kinds/member.ts';
import { nameKind } from './kinds/name.ts';

export function useAdminState(id: string) {
  const { control, change } = useChange(memberKind, GslbAdminStateDocument, (payload) => payload.gslbPoolMember);
  return { control, set: (state: Member['adminState'], given: ByHand) => change({ id, state, ...given }) };
}

export function useRelease(id: string) {
  const { control, change } = useChange(memberKind, GslbReleaseDocument, (payload) => payload.gslbPoolMember);
  return { control, release: () => change({ id }) };
}

export function useFreeze(id: string) {
  const { control, change } = useChange(nameKind, GslbFreezeNameDocument, (payload) => payload.gslb);
  return { control, freeze: (given: ByHand) => change({ id, ...given }) };
}

export function useUnfreeze(id: string) {
  const { control, change } = useChange(nameKind, GslbUnfreezeNameDocument, (payload) => payload.gslb);
  return { control, unfreeze: ({ reason }: ByHand) => change({ id, reason }) };
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
