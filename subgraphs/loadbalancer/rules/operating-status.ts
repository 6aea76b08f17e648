// Computes whether pools, listeners and load balancers serve, from their children, each time it is read. Pure.
import type { BalancerRow, NodeRow } from './rows.ts';
import type { OperatingStatus } from './states.ts';

/** Members of a pool that have the same state. */
export interface MemberTally {
  readonly enabled: boolean;
  readonly draining: boolean;
  /** From the nodes' checks. */
  readonly status: OperatingStatus;
  readonly count: number;
}

export interface Verdict {
  readonly status: OperatingStatus;
  /** Why it does not serve fully. Null if it does. */
  readonly reason: string | null;
}

const disabled: Verdict = { status: 'OFFLINE', reason: null };
const online: Verdict = { status: 'ONLINE', reason: null };

/** `checked`: whether its pool has an enabled health monitor. */
export function memberStatus(member: Omit<MemberTally, 'count'>, checked: boolean): OperatingStatus {
  if (!member.enabled) return 'OFFLINE';
  if (member.draining) return 'DRAINING';
  return checked ? member.status : 'NO_MONITOR';
}

export function poolStatus(enabled: boolean, tallies: readonly MemberTally[], checked: boolean): Verdict {
  if (!enabled) return disabled;
  const counts = { good: 0, half: 0, bad: 0, unknown: 0 };
  for (const tally of tallies) {
    const status = memberStatus(tally, checked);
    if (status === 'ONLINE' || status === 'NO_MONITOR') counts.good += tally.count;
    else if (status === 'DEGRADED') counts.half += tally.count;
    else if (status === 'ERROR') counts.bad += tally.count;
    else if (status === 'UNKNOWN') counts.unknown += tally.count;
  }
  const { good, half, bad, unknown } = counts;
  const all = good + half + bad + unknown;
  if (all === 0) return { status: 'ERROR', reason: 'no member takes requests' };
  if (good === all) return online;
  if (good + half === 0)
    return bad === 0
      ? { status: 'UNKNOWN', reason: 'no member has been checked yet' }
      : { status: 'ERROR', reason: `${bad} of ${all} members are unhealthy, and none is healthy` };
  return bad + half === 0 ? online : { status: 'DEGRADED', reason: `${bad + half} of ${all} members are unhealthy` };
}

interface ListenerInputs {
  readonly enabled: boolean;
  /** Undefined if it has none. */
  readonly defaultPool: Verdict | undefined;
  /** The pools to which its policies send requests. */
  readonly otherPools: readonly Verdict[];
  /** Whether it has policies. */
  readonly hasPolicies: boolean;
}

export function listenerStatus({ enabled, defaultPool, otherPools, hasPolicies }: ListenerInputs): Verdict {
  if (!enabled) return disabled;
  const pools = [...(defaultPool === undefined ? [] : [defaultPool]), ...otherPools];
  if (pools.length === 0) return hasPolicies ? online : { status: 'ERROR', reason: 'it has no pool: requests get 503' };
  return joinedVerdict(pools, 'pools');
}

interface BalancerInputs {
  readonly enabled: boolean;
  /** Whether it is being deleted, or is deleted. */
  readonly isEnding: boolean;
  /** See `isFirstCreated`. */
  readonly isFirstCreated: boolean;
  readonly listeners: readonly Verdict[];
  readonly servingNodes: number;
  readonly wantedNodes: number;
}

export function balancerStatus(inputs: BalancerInputs): Verdict {
  const { enabled, isEnding, isFirstCreated, listeners, servingNodes, wantedNodes } = inputs;
  if (isEnding) return { status: 'UNKNOWN', reason: 'it is being deleted' };
  if (!enabled) return disabled;
  if (servingNodes === 0)
    return isFirstCreated
      ? { status: 'UNKNOWN', reason: 'none of its nodes has served yet' }
      : { status: 'ERROR', reason: 'no node serves' };
  const joined = joinedVerdict(listeners, 'listeners');
  if (joined.status !== 'ONLINE' || servingNodes >= wantedNodes) return joined;
  return { status: 'DEGRADED', reason: `${servingNodes} of ${wantedNodes} nodes serve` };
}

export function isEnding({ provisioningStatus }: Pick<BalancerRow, 'provisioningStatus'>): boolean {
  return provisioningStatus === 'DELETING' || provisioningStatus === 'DELETED';
}

type CreatedBalancer = Pick<BalancerRow, 'provisioningStatus' | 'operatingStatus'>;

/**
 * Whether its first node is still being created: none has served yet, and the creation has not failed. Such a load balancer is neither up
 * nor down. `balancer`: as stored, with the operating status of the last change. `nodes`: without deleted ones.
 */
export function isFirstCreated(
  { provisioningStatus, operatingStatus }: CreatedBalancer,
  nodes: readonly Pick<NodeRow, 'state'>[],
): boolean {
  // A load balancer that has served has another status: these two are also those of one that was never enabled.
  const hasNoVerdict = operatingStatus === 'UNKNOWN' || operatingStatus === 'OFFLINE';
  const hasServed = nodes.some(({ state }) => state === 'SERVING' || state === 'REPLACED');
  return provisioningStatus !== 'ERROR' && hasNoVerdict && !hasServed;
}

/** Ignores disabled ones. */
function joinedVerdict(parts: readonly Verdict[], what: string): Verdict {
  const counted = parts.filter(({ status }) => status !== 'OFFLINE');
  if (counted.length === 0) return { status: 'ERROR', reason: `it has no ${what} in use` };
  if (counted.every(({ status }) => status === 'ONLINE')) return online;
  const bad = counted.find(({ status }) => status !== 'ONLINE');
  const every = (status: OperatingStatus) => counted.every((each) => each.status === status);
  const status = every('ERROR') ? 'ERROR' : every('UNKNOWN') ? 'UNKNOWN' : 'DEGRADED';
  return { status, reason: bad?.reason ?? null };
}
