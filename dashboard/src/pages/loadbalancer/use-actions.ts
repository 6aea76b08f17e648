// What a person may do by hand. Each gives back the changed entity, which the store takes at once; the feed then brings the change.
import {
  LoadbalancerFailoverDocument,
  LoadbalancerHostCordonDocument,
  LoadbalancerMemberDrainDocument,
  LoadbalancerMemberEnableDocument,
  LoadbalancerNodeReplaceDocument,
} from '../../../../generated/dashboard/graphql.ts';
import { useEntities, useLiveState, usePage } from '../../context.ts';
import { isMember } from '../../view/permissions.ts';
import { useMutation } from '../../view/use-mutation.ts';
import { hostKind } from './kinds/host.ts';
import { loadBalancerKind } from './kinds/load-balancer.ts';
import { memberKind } from './kinds/member.ts';
import { nodeKind } from './kinds/node.ts';

/** Why the viewer may not change parts of this load balancer; null: they may. */
export function useForbidden(balancerId: string): string | null {
  const { viewer } = useLiveState();
  const balancer = useEntities(loadBalancerKind).get(balancerId);
  return isMember(viewer, balancer?.project?.id) ? null : 'Only members of its project can do this.';
}

export function useMemberDrain(id: string) {
  const { store } = usePage();
  const control = useMutation(LoadbalancerMemberDrainDocument);
  const drain = async (wanted: boolean): Promise<boolean> => {
    const payload = await control.send({ id, drain: wanted });
    if (payload?.member) store.take(memberKind, [payload.member]);
    return payload !== undefined;
  };
  return { control, drain };
}

export function useMemberEnable(id: string) {
  const { store } = usePage();
  const control = useMutation(LoadbalancerMemberEnableDocument);
  const enable = async (): Promise<boolean> => {
    const payload = await control.send({ id, enabled: true });
    if (payload?.member) store.take(memberKind, [payload.member]);
    return payload !== undefined;
  };
  return { control, enable };
}

export function useNodeReplace(id: string) {
  const { store } = usePage();
  const control = useMutation(LoadbalancerNodeReplaceDocument);
  const replace = async (): Promise<boolean> => {
    const payload = await control.send({ id });
    if (payload?.loadBalancerNode) store.take(nodeKind, [payload.loadBalancerNode]);
    return payload !== undefined;
  };
  return { control, replace };
}

export function useFailover(id: string) {
  const { store } = usePage();
  const control = useMutation(LoadbalancerFailoverDocument);
  const failover = async (): Promise<boolean> => {
    const payload = await control.send({ id });
    if (payload?.loadBalancer) store.take(loadBalancerKind, [payload.loadBalancer]);
    return payload !== undefined;
  };
  return { control, failover };
}

export function useHostCordon(id: string) {
  const { store } = usePage();
  const control = useMutation(LoadbalancerHostCordonDocument);
  const cordon = async (wanted: { readonly cordoned: boolean; readonly evacuate?: boolean }): Promise<boolean> => {
    const payload = await control.send({ id, ...wanted });
    if (payload?.loadBalancerHost) store.take(hostKind, [payload.loadBalancerHost]);
    return payload !== undefined;
  };
  return { control, cordon };
}
