// Describes the progress of a load balancer's provisioning. Slow is not failed: on a busy machine a change may take minutes, and is PENDING
// until something refuses it, until attempts have failed again and again, or until its deadline.

import { type BalancerState, type HealSettings, isUsed, serves } from './plan-input.ts';
import type { BalancerRow, NodeRow } from './rows.ts';
import type { ProvisioningStatus } from './states.ts';

interface Provisioning {
  readonly status: ProvisioningStatus;
  readonly reason: string | null;
}

/** What a change still needs. */
interface Lack {
  readonly reason: string;
  /** Something refuses it, or several attempts have failed. Otherwise it is only under way. */
  readonly failed: boolean;
}

/** A change that is refused is an ERROR after this time, and is still tried. Others take longer than usual. */
export const lateMs = 60_000;
/** How many failed attempts mean more than a busy machine. */
export const mostAttempts = 3;
/** A DNS server is tried every few seconds: this is several attempts. */
const dnsFailsMs = 30_000;

/** A change that is not in effect after this time is an ERROR, refused or not: no node was ready in several attempts. */
export function longestPendingMs({ nodeBuildMs }: Pick<HealSettings, 'nodeBuildMs'>): number {
  return Math.max(lateMs, mostAttempts * nodeBuildMs);
}

export function provisioningOf(state: BalancerState, nodes: readonly NodeRow[]): Provisioning {
  const { balancer, settings, now } = state;
  const lack = missingOf(state, nodes) ?? behindOf(state, nodes);
  return lack === undefined ? { status: 'ACTIVE', reason: null } : unfinished(balancer, settings, now, lack);
}

/** Not in effect yet, for this reason. */
export function unfinished(
  { provisioningStatus, pendingSince }: Pick<BalancerRow, 'provisioningStatus' | 'pendingSince'>,
  settings: Pick<HealSettings, 'nodeBuildMs'>,
  now: Date,
  { reason: message, failed }: Lack,
): Provisioning {
  const reason = message.slice(0, 900);
  if (provisioningStatus === 'DELETING') return { status: 'DELETING', reason };
  const pendingMs = pendingSince === null ? 0 : now.getTime() - pendingSince.getTime();
  const mostMs = longestPendingMs(settings);
  if (failed && pendingMs >= lateMs) return { status: 'ERROR', reason };
  if (pendingMs >= mostMs) return { status: 'ERROR', reason: `${reason}. Not done within ${mostMs / 1_000} s` };
  // An ERROR ends when the change is in effect, not when another step of it is slow.
  if (provisioningStatus === 'ERROR') return { status: 'ERROR', reason };
  return { status: 'PENDING', reason: pendingMs >= lateMs ? `${reason}. It takes longer than usual` : reason };
}

export function deletionStatus(state: BalancerState, nodes: readonly NodeRow[], published: boolean): Provisioning {
  if (!published) return { status: 'DELETING', reason: dnsLack(state, 'its name is still in DNS').reason };
  const [left] = nodes;
  if (left === undefined) return { status: 'DELETED', reason: null };
  return { status: 'DELETING', reason: `${nodes.length} nodes are being deleted` };
}

function missingOf(state: BalancerState, nodes: readonly NodeRow[]): Lack | undefined {
  const { balancer, breaker } = state;
  const { wantedNodes } = balancer;
  if (nodes.filter(serves).length >= wantedNodes) return undefined;
  if (breaker !== null) return { reason: breaker, failed: true };
  const building = nodes.filter(({ state: its }) => its === 'BUILDING');
  const places = wantedNodes - nodes.filter(isUsed).length;
  if (places > 0 && state.hosts.every(({ free }) => free <= 0)) {
    const why = state.hosts.find(({ noAddress }) => noAddress !== null)?.noAddress;
    const reason = `${places} of ${wantedNodes} nodes have no host: ${why ?? 'no connected host can take more. For administrators, tidegate hosts list shows why'}`;
    return { reason, failed: true };
  }
  const ready = building.find(({ named }) => named);
  if (ready !== undefined && !state.name.published) return dnsLack(state, `${ready.name} is not in DNS yet`);
  const count = Math.max(1, building.length + Math.max(0, places));
  return nodesLack(building, `${count} of ${wantedNodes} nodes are being created`);
}

function behindOf({ balancer }: BalancerState, nodes: readonly NodeRow[]): Lack | undefined {
  const behind = nodes.filter((node) => serves(node) && node.appliedGeneration < balancer.generation);
  if (behind.length === 0) return undefined;
  return nodesLack(behind, `the change is not on ${behind.map(({ name }) => name).join(', ')} yet`);
}

function dnsLack({ name: { error }, now }: BalancerState, what: string): Lack {
  if (error === null) return { reason: what, failed: false };
  return { reason: `${what}: ${error.message}`, failed: now.getTime() - error.since.getTime() >= dnsFailsMs };
}

/** A host gives a reason for what it refuses, and for what it has tried in vain several times. */
function nodesLack(nodes: readonly NodeRow[], what: string): Lack {
  const reason = nodes.find((node) => node.reason !== null)?.reason;
  return reason == null ? { reason: what, failed: false } : { reason: `${what}: ${reason}`, failed: true };
}
