// The entity kinds of the page of load balancers. The load balancer is last: a drawer over it is named before it in the address.
import type { AnyKind, Subjects } from '../../live/entity-kind.ts';
import { hostKind } from './kinds/host.ts';
import { loadBalancerKind } from './kinds/load-balancer.ts';
import { memberKind } from './kinds/member.ts';
import { nodeKind } from './kinds/node.ts';

export const kinds: readonly AnyKind[] = [memberKind, nodeKind, hostKind, loadBalancerKind];

export const subjects: Subjects = {
  kinds,
  others: [
    {
      typename: 'AutoscalingPolicy',
      word: 'autoscaling of',
      ofField: 'loadBalancer',
      opens: loadBalancerKind.typename,
    },
    { typename: 'LoadBalancerHealing', word: 'healing' },
  ],
};
