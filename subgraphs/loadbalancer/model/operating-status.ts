// Whether pools, listeners and load balancers serve: joined from what is below them, whenever it is asked for. Pure.
import type { OperatingStatus } from './states.ts';

/** Members of a pool that are alike. */
export interface MemberTally {
  readonly enabled: boolean;
  readonly draining: boolean;
  /** As the nodes' checks see them. */
  readonly status: OperatingStatus;
  readonly count: number;
}

export interface Verdict {
  readonly status: OperatingStatus;
  /** Why it does not serve fully; null: it does. */
  readonly message: string | null;
}

const disabled: Verdict = { status: 'OFFLINE', message: null };
const online: Verdict = { status: 'ONLINE', message: null };

/** `checked`: its pool has a health monitor that is enabled. */
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
  if (all === 0) return { status: 'ERROR', message: 'no member takes requests' };
  if (good === all) return online;
  if (good + half === 0)
    return bad === 0
      ? { status: 'UNKNOWN', message: 'no member has been checked yet' }
      : { status: 'ERROR', message: `${bad} of ${all} members are unhealthy, and none is healthy` };
  return bad + half === 0 ? online : { status: 'DEGRADED', message: `${bad + half} of ${all} members are unhealthy` };
}

export interface ListenerParts {
  readonly enabled: boolean;
  /** Undefined: it has none. */
  readonly defaultPool: Verdict | undefined;
  /** Of the pools to which its policies send requests. */
  readonly otherPools: readonly Verdict[];
  /** Whether it has policies. */
  readonly hasPolicies: boolean;
}

export function listenerStatus({ enabled, defaultPool, otherPools, hasPolicies }: ListenerParts): Verdict {
  if (!enabled) return disabled;
  const pools = [...(defaultPool === undefined ? [] : [defaultPool]), ...otherPools];
  if (pools.length === 0)
    return hasPolicies ? online : { status: 'ERROR', message: 'it has no pool: requests get 503' };
  return joinedVerdict(pools, 'pools');
}

export interface BalancerParts {
  readonly enabled: boolean;
  readonly listeners: readonly Verdict[];
  readonly servingNodes: number;
  readonly wantedNodes: number;
}

export function balancerStatus({ enabled, listeners, servingNodes, wantedNodes }: BalancerParts): Verdict {
  if (!enabled) return disabled;
  if (servingNodes === 0) return { status: 'ERROR', message: 'no node serves' };
  const joined = joinedVerdict(listeners, 'listeners');
  if (joined.status !== 'ONLINE' || servingNodes >= wantedNodes) return joined;
  return { status: 'DEGRADED', message: `${servingNodes} of ${wantedNodes} nodes serve` };
}

/** Disabled ones do not count. */
function joinedVerdict(parts: readonly Verdict[], what: string): Verdict {
  const counted = parts.filter(({ status }) => status !== 'OFFLINE');
  if (counted.length === 0) return { status: 'ERROR', message: `it has no ${what} in use` };
  if (counted.every(({ status }) => status === 'ONLINE')) return online;
  const bad = counted.find(({ status }) => status !== 'ONLINE');
  const every = (status: OperatingStatus) => counted.every((each) => each.status === status);
  const status = every('ERROR') ? 'ERROR' : every('UNKNOWN') ? 'UNKNOWN' : 'DEGRADED';
  return { status, message: bad?.message ?? null };
}
