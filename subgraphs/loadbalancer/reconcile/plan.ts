// What has to happen next for a load balancer, from what is wanted and what there is. Pure: the same state gives the same plan, and a plan
// that was carried out gives an empty one.

import type { ProvisioningStatus } from '../model/states.ts';
import type { BalancerRow } from '../stores/balancer-store.ts';
import type { NodeRow } from '../stores/node-store.ts';

/** A host that may get nodes. */
export interface HostPlace {
  readonly id: string;
  /** Nodes that it can still take. */
  readonly free: number;
  readonly nodeCount: number;
}

export interface BalancerState {
  readonly balancer: BalancerRow;
  /** Without deleted ones, oldest first. */
  readonly nodes: readonly NodeRow[];
  readonly hosts: readonly HostPlace[];
  /** By the database's clock. */
  readonly now: Date;
}

export type Action =
  | { readonly do: 'PLACE'; readonly hostId: string }
  | { readonly do: 'SERVE'; readonly nodeId: string }
  | { readonly do: 'DRAIN'; readonly nodeId: string; readonly reason: string }
  | { readonly do: 'DELETE'; readonly nodeId: string }
  | { readonly do: 'STATUS'; readonly status: ProvisioningStatus; readonly reason: string | null };

export interface Plan {
  readonly actions: readonly Action[];
  /** Look again after so long, even if nothing happens. */
  readonly againInMs: number | undefined;
}

/** A change that is not in effect after so long is an ERROR, and still tried. */
export const lateMs = 60_000;

export function planOf(state: BalancerState): Plan {
  const { balancer } = state;
  if (balancer.provisioningStatus === 'DELETED') return { actions: [], againInMs: undefined };
  if (balancer.provisioningStatus === 'DELETING') return deletion(state);
  const actions = [...served(state), ...placed(state), ...surplus(state), ...drained(state)];
  const status = statusOf(state, actions);
  if (status !== undefined) actions.push(status);
  return { actions, againInMs: againIn(state, actions) };
}

function deletion({ nodes }: BalancerState): Plan {
  if (nodes.length === 0) return { actions: [{ do: 'STATUS', status: 'DELETED', reason: null }], againInMs: undefined };
  const actions = nodes
    .filter(({ state }) => state !== 'DELETING')
    .map(({ id }) => ({ do: 'DELETE', nodeId: id }) as const);
  return { actions, againInMs: lateMs };
}

/** A node that has what is wanted serves. */
function served({ nodes }: BalancerState): Action[] {
  return nodes
    .filter(({ state, configuredAt }) => state === 'BUILDING' && configuredAt !== null)
    .map(({ id }) => ({ do: 'SERVE', nodeId: id }));
}

/** Missing nodes go where the load balancer has the fewest, then where there are the fewest at all. */
function placed({ balancer, nodes, hosts }: BalancerState): Action[] {
  const used = nodes.filter(isUsed);
  const here = new Map(hosts.map(({ id }) => [id, used.filter(({ hostId }) => hostId === id).length]));
  const load = new Map(hosts.map(({ id, nodeCount }) => [id, nodeCount]));
  const free = new Map(hosts.map((host) => [host.id, host.free]));
  const actions: Action[] = [];
  for (let missing = balancer.wantedNodes - used.length; missing > 0; missing -= 1) {
    const [best] = [...free]
      .filter(([, left]) => left > 0)
      .map(([id]) => id)
      .toSorted((a, b) => count(here, a) - count(here, b) || count(load, a) - count(load, b) || (a < b ? -1 : 1));
    if (best === undefined) break;
    actions.push({ do: 'PLACE', hostId: best });
    here.set(best, count(here, best) + 1);
    load.set(best, count(load, best) + 1);
    free.set(best, count(free, best) - 1);
  }
  return actions;
}

/** Nodes beyond the wanted number: those that do not serve yet first, then the youngest. */
function surplus({ balancer, nodes }: BalancerState): Action[] {
  const used = nodes.filter(isUsed);
  const order = used.toSorted(
    (a, b) => Number(a.state === 'SERVING') - Number(b.state === 'SERVING') || (a.id < b.id ? 1 : -1),
  );
  return order
    .slice(0, Math.max(0, used.length - balancer.wantedNodes))
    .map(({ id, state }) =>
      state === 'SERVING'
        ? { do: 'DRAIN', nodeId: id, reason: 'fewer nodes are wanted' }
        : { do: 'DELETE', nodeId: id },
    );
}

function drained({ nodes, now }: BalancerState): Action[] {
  return nodes
    .filter(({ state, deleteAt }) => state === 'DRAINING' && deleteAt !== null && deleteAt <= now)
    .map(({ id }) => ({ do: 'DELETE', nodeId: id }));
}

function statusOf({ balancer, nodes, now }: BalancerState, actions: readonly Action[]): Action | undefined {
  const serving = nodes.filter(
    ({ id, state }) => state === 'SERVING' || actions.some((each) => each.do === 'SERVE' && each.nodeId === id),
  );
  const behind = serving.filter(({ appliedGeneration }) => appliedGeneration < balancer.generation);
  const missing = balancer.wantedNodes - serving.length;
  if (missing <= 0 && behind.length === 0) return to(balancer, 'ACTIVE', null);
  const reason =
    missing > 0
      ? waitingFor(balancer, nodes, actions)
      : `the change is not on ${behind.map(({ name }) => name).join(', ')} yet${firstReason(behind)}`;
  const isLate = balancer.pendingSince !== null && now.getTime() - balancer.pendingSince.getTime() >= lateMs;
  return to(balancer, isLate ? 'ERROR' : 'PENDING', reason);
}

function waitingFor({ wantedNodes }: BalancerRow, nodes: readonly NodeRow[], actions: readonly Action[]): string {
  const building = nodes.filter(({ state }) => state === 'BUILDING');
  const places = actions.filter((each) => each.do === 'PLACE').length;
  const used = nodes.filter(isUsed).length + places;
  if (used < wantedNodes)
    return `${wantedNodes - used} of ${wantedNodes} nodes have no host: none is connected that can take more`;
  return `${building.length + places} of ${wantedNodes} nodes are being made${firstReason(building)}`;
}

function firstReason(nodes: readonly NodeRow[]): string {
  const reason = nodes.find((node) => node.reason !== null)?.reason;
  return reason === undefined || reason === null ? '' : `: ${reason}`;
}

function to(balancer: BalancerRow, status: ProvisioningStatus, reason: string | null): Action | undefined {
  const same = balancer.provisioningStatus === status && balancer.provisioningReason === reason;
  return same ? undefined : { do: 'STATUS', status, reason };
}

function againIn({ balancer, nodes, now }: BalancerState, actions: readonly Action[]): number | undefined {
  const times = nodes.flatMap(({ state, deleteAt }) =>
    state === 'DRAINING' && deleteAt !== null ? [deleteAt.getTime()] : [],
  );
  if (balancer.pendingSince !== null) times.push(balancer.pendingSince.getTime() + lateMs);
  const future = times.map((at) => at - now.getTime()).filter((inMs) => inMs > 0);
  const waits = balancer.provisioningStatus !== 'ACTIVE' || actions.length > 0;
  const next = future.length === 0 ? undefined : Math.min(...future);
  return next ?? (waits ? 5_000 : undefined);
}

/** Counts towards the wanted number. */
function isUsed({ state }: NodeRow): boolean {
  return state === 'BUILDING' || state === 'SERVING';
}

function count(counts: ReadonlyMap<string, number>, id: string): number {
  return counts.get(id) ?? 0;
}
