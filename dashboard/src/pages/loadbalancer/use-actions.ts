// Actions of a person.
import {
  LoadbalancerFailoverDocument,
  LoadbalancerHostCordonDocument,
  LoadbalancerHostReleaseDocument,
  LoadbalancerMemberDrainCancelDocument,
  LoadbalancerMemberDrainDocument,
  LoadbalancerMemberEnableDocument,
  LoadbalancerNodeReplaceDocument,
} from '../../../../generated/dashboard/graphql.ts';
import { useEntities } from '../../context.ts';
import { useChange } from '../../view/use-change.ts';
import { useForbidden } from '../../view/use-forbidden.ts';
import { hostKind } from './kinds/host.ts';
import { loadBalancerKind } from './kinds/load-balancer.ts';
import { memberKind } from './kinds/member.ts';
import { nodeKind } from './kinds/node.ts';

/** Why the viewer may not change parts of this load balancer. Null if they may. */
export function useForbiddenParts(balancerId: string): string | null {
  return useForbidden(useEntities(loadBalancerKind).get(balancerId)?.project?.id);
}

export function useMemberDrain(id: string) {
  const { control, change } = useChange(memberKind, LoadbalancerMemberDrainDocument, ({ poolMember }) => poolMember);
  return { control, drain: () => change({ id }) };
}

export function useMemberDrainCancel(id: string) {
  const { control, change } = useChange(
    memberKind,
    LoadbalancerMemberDrainCancelDocument,
    ({ poolMember }) => poolMember,
  );
  return { control, cancel: () => change({ id }) };
}

export function useMemberEnabled(id: string) {
  const { control, change } = useChange(memberKind, LoadbalancerMemberEnableDocument, ({ poolMember }) => poolMember);
  return { control, setEnabled: (enabled: boolean) => change({ id, enabled }) };
}

export function useNodeReplace(id: string) {
  const { control, change } = useChange(
    nodeKind,
    LoadbalancerNodeReplaceDocument,
    (payload) => payload.loadBalancerNode,
  );
  return { control, replace: () => change({ id }) };
}

export function useFailover(id: string) {
  const { control, change } = useChange(
    loadBalancerKind,
    LoadbalancerFailoverDocument,
    (payload) => payload.loadBalancer,
  );
  return { control, failover: () => change({ id }) };
}

export function useHostCordon(id: string) {
  const { control, change } = useChange(
    hostKind,
    LoadbalancerHostCordonDocument,
    (payload) => payload.loadBalancerHost,
  );
  return { control, cordon: (evacuate: boolean) => change({ id, evacuate }) };
}

export function useHostRelease(id: string) {
  const { control, change } = useChange(
    hostKind,
    LoadbalancerHostReleaseDocument,
    (payload) => payload.loadBalancerHost,
  );
  return { control, release: () => change({ id }) };
}
