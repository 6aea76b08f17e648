// The filters of the page of load balancers. The shown load balancer stays in the address while a drawer is open over it.
import {
  containsWords,
  type FilterControl,
  type FilterFormat,
  type Filters,
  formatFilters as formatCommon,
  parseFilters as parseCommon,
  toSearch,
} from '../../filters/filters.ts';
import type { Host } from './kinds/host.ts';
import { type LoadBalancer, loadBalancerKind } from './kinds/load-balancer.ts';
import { addressOf, type Member } from './kinds/member.ts';
import { kinds } from './kinds.ts';

export interface BalancerFilters extends Filters {
  /** The load balancer that is shown; null: the list. */
  readonly balancerId: string | null;
}

export type BalancerControl = FilterControl<BalancerFilters>;

export function parseFilters(search: string): BalancerFilters {
  const params = new URLSearchParams(search);
  const common = parseCommon(params, kinds);
  return {
    ...common,
    open: common.open?.type === loadBalancerKind.typename ? null : common.open,
    balancerId: params.get(loadBalancerKind.openParameter) || null,
  };
}

/** The query string with its question mark; empty without filters. To open a load balancer means to show it. */
export function formatFilters(filters: BalancerFilters): string {
  const params = new URLSearchParams();
  if (filters.balancerId !== null) params.set(loadBalancerKind.openParameter, filters.balancerId);
  formatCommon(filters, kinds, params);
  return toSearch(params);
}

export const filterFormat: FilterFormat<BalancerFilters> = { parse: parseFilters, format: formatFilters };

export function matchesBalancer(filters: BalancerFilters, balancer: LoadBalancer): boolean {
  return (
    (filters.projectId === null || balancer.project?.id === filters.projectId) &&
    containsWords(filters.text, [
      balancer.name,
      balancer.project?.name,
      balancer.operatingStatus,
      balancer.statusMessage,
      balancer.provisioningStatus,
      balancer.provisioningReason,
      ...balancer.urls,
    ])
  );
}

export function matchesMember(text: string, member: Member): boolean {
  return containsWords(text, [member.name, addressOf(member), member.operatingStatus, member.statusMessage]);
}

export function matchesHost(text: string, host: Host): boolean {
  return containsWords(text, [
    host.name,
    host.site,
    host.status,
    host.provider,
    host.cordoned ? 'cordoned' : null,
    host.publicRange,
  ]);
}
