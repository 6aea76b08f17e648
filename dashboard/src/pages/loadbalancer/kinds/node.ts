// The nodes of all listed load balancers.
import {
  type LoadBalancerNodeFieldsFragment,
  LoadBalancerNodeFieldsFragmentDoc,
} from '../../../../../generated/dashboard/graphql.ts';
import type { Entities, EntityKind } from '../../../live/entity-kind.ts';
import { mergeVersions } from '../../../live/merge.ts';

export type BalancerNode = LoadBalancerNodeFieldsFragment;

export const nodeKind: EntityKind<BalancerNode> = {
  typename: 'LoadBalancerNode',
  fragment: LoadBalancerNodeFieldsFragmentDoc,
  openParameter: 'node',
  isReadAgain: true,
  plainChange: 'loadBalancerNode.state',
  merge: (known, news) =>
    mergeVersions(known, news, { takesSameVersion: true, isGone: ({ nodeState }) => nodeState === 'DELETED' }),
  label: ({ name }) => name,
  ownerId: ({ loadBalancer }) => loadBalancer.id,
};

/** Oldest first. */
export function nodesOf(nodes: Entities<BalancerNode>, balancerId: string): readonly BalancerNode[] {
  return [...nodes.values()].filter(({ loadBalancer }) => loadBalancer.id === balancerId).sort(oldestFirst);
}

function oldestFirst(a: BalancerNode, b: BalancerNode): number {
  if (a.createdAt !== b.createdAt) return a.createdAt < b.createdAt ? -1 : 1;
  return a.id < b.id ? -1 : 1;
}

/** A node that serves in life and by its checks. */
export function isServing({ nodeState, operatingStatus }: BalancerNode): boolean {
  return nodeState === 'SERVING' && operatingStatus !== 'ERROR' && operatingStatus !== 'OFFLINE';
}

/** How many, by load balancer. */
export function servingByBalancer(nodes: Entities<BalancerNode>): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const node of nodes.values())
    if (isServing(node)) counts.set(node.loadBalancer.id, (counts.get(node.loadBalancer.id) ?? 0) + 1);
  return counts;
}
