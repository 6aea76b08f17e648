// Describes the progress of a load balancer's provisioning.

import type { BalancerRow, NodeRow } from './rows.ts';
import { type BalancerState, isUsed, serves } from './state.ts';
import type { ProvisioningStatus } from './states.ts';

interface Provisioning {
  readonly status: ProvisioningStatus;
  readonly reason: string | null;
}

/** A change that is not in effect after this time is an ERROR, and is still tried. */
export const lateMs = 60_000;

export function provisioningOf(state: BalancerState, nodes: readonly NodeRow[]): Provisioning {
  const { balancer, now } = state;
  const reason = missingOf(state, nodes) ?? behindOf(state, nodes);
  return reason === undefined ? { status: 'ACTIVE', reason: null } : failed(balancer, now, reason);
}

/** Not in effect yet, for this reason. */
export function failed(
  { provisioningStatus, pendingSince }: Pick<BalancerRow, 'provisioningStatus' | 'pendingSince'>,
  now: Date,
  message: string,
): Provisioning {
  const reason = message.slice(0, 1024);
  if (provisioningStatus === 'DELETING') return { status: 'DELETING', reason };
  const late = pendingSince !== null && now.getTime() - pendingSince.getTime() >= lateMs;
  return { status: late ? 'ERROR' : 'PENDING', reason };
}

export function deletionStatus(state: BalancerState, nodes: readonly NodeRow[], published: boolean): Provisioning {
  if (!published) return { status: 'DELETING', reason: dnsReason(state, 'its name is still in DNS') };
  const [left] = nodes;
  if (left === undefined) return { status: 'DELETED', reason: null };
  return { status: 'DELETING', reason: `${nodes.length} nodes are being deleted` };
}

function missingOf(state: BalancerState, nodes: readonly NodeRow[]): string | undefined {
  const { balancer, breaker } = state;
  const { wantedNodes } = balancer;
  if (nodes.filter(serves).length >= wantedNodes) return undefined;
  if (breaker !== null) return breaker;
  const building = nodes.filter(({ state: its }) => its === 'BUILDING');
  const places = wantedNodes - nodes.filter(isUsed).length;
  if (places > 0 && state.hosts.every(({ free }) => free <= 0)) {
    const why = state.hosts.find(({ noAddress }) => noAddress !== null)?.noAddress;
    return `${places} of ${wantedNodes} nodes have no host: ${why ?? 'no connected host can take more. For administrators, tidegate hosts list shows why'}`;
  }
  const ready = building.find(({ named }) => named);
  if (ready !== undefined && !state.name.published) return dnsReason(state, `${ready.name} is not in DNS yet`);
  return `${Math.max(1, building.length + Math.max(0, places))} of ${wantedNodes} nodes are being created${firstReason(building)}`;
}

function behindOf({ balancer }: BalancerState, nodes: readonly NodeRow[]): string | undefined {
  const behind = nodes.filter((node) => serves(node) && node.appliedGeneration < balancer.generation);
  if (behind.length === 0) return undefined;
  return `the change is not on ${behind.map(({ name }) => name).join(', ')} yet${firstReason(behind)}`;
}

function dnsReason({ name }: BalancerState, what: string): string {
  return name.error === null ? what : `${what}: ${name.error}`;
}

function firstReason(nodes: readonly NodeRow[]): string {
  const reason = nodes.find((node) => node.reason !== null)?.reason;
  return reason == null ? '' : `: ${reason}`;
}
