// The filters of the page of load balancers.
import { containsWords, type FilterControl, type ShownFilters, shownFormat } from '../../filters/filters.ts';
import type { Host } from './kinds/host.ts';
import { type LoadBalancer, loadBalancerKind } from './kinds/load-balancer.ts';
import { addressOf, type Member } from './kinds/member.ts';
import { kinds } from './kinds.ts';

export type BalancerControl = FilterControl<ShownFilters>;

export const filterFormat = shownFormat(loadBalancerKind, kinds);

export function matchesBalancer(filters: ShownFilters, balancer: LoadBalancer): boolean {
  return (
    (filters.projectId === null || balancer.project?.id === filters.projectId) &&
    containsWords(filters.text, [
      balancer.name,
      balancer.project?.name,
      balancer.operatingStatus,
      balancer.operatingReason,
      balancer.provisioningStatus,
      balancer.provisioningReason,
      ...balancer.urls,
    ])
  );
}

export function matchesMember(text: string, member: Member): boolean {
  return containsWords(text, [member.name, addressOf(member), member.operatingStatus, member.operatingReason]);
}

export function matchesHost(text: string, host: Host): boolean {
  return containsWords(text, [
    host.name,
    host.site,
    host.presence,
    host.provider,
    host.cordoned ? 'cordoned' : null,
    host.publicRange,
  ]);
}
