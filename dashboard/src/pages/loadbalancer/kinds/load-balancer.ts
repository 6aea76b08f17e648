// The load balancers. The page lists all load balancers, up to a bound.
import {
  type LoadBalancerFieldsFragment,
  LoadBalancerFieldsFragmentDoc,
} from '../../../../../generated/dashboard/graphql.ts';
import type { EntityKind } from '../../../live/entity-kind.ts';
import { mergeVersions } from '../../../live/merge.ts';

export type LoadBalancer = LoadBalancerFieldsFragment;

export const loadBalancerKind: EntityKind<LoadBalancer> = {
  typename: 'LoadBalancer',
  fragment: LoadBalancerFieldsFragmentDoc,
  openParameter: 'balancer',
  isReadAgain: true,
  merge: (known, news) =>
    mergeVersions(known, news, {
      takesSameVersion: true,
      isGone: ({ provisioningStatus }) => provisioningStatus === 'DELETED',
    }),
  label: ({ name }) => name,
};

/** Its first node is being created: it is neither up nor down. */
export function isBeingMade({
  provisioningStatus,
  operatingStatus,
}: Pick<LoadBalancer, 'provisioningStatus' | 'operatingStatus'>): boolean {
  return provisioningStatus === 'PENDING' && operatingStatus === 'UNKNOWN';
}
