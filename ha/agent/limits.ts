// The limits of an agent, derived from the lease: a long lease waits longer for hosts that are slow, and notices later that one is gone.

import type { Limits } from './decide.ts';

/** Shortest and longest lease. etcd counts whole seconds. */
export const [leastLeaseMs, mostLeaseMs] = [1_000, 60_000];
/** Commits of clients wait for a lost member no longer than this, whatever the lease. */
const mostDetachMs = 3_000;
/** A call to etcd must leave time for further ones before the fence. */
const callShare = 0.3;
const mostCallMs = 3_000;

export function limitsFor(leaseMs: number): Limits {
  const thirdMs = Math.max(1_000, Math.floor(leaseMs / 3));
  return {
    ...{ heartbeatMs: thirdMs, detachMs: Math.min(thirdMs, mostDetachMs), inviteMs: 30_000, askMs: 1_000 },
    ...{ admitMs: Math.max(3_000, leaseMs), againMs: 2_000, startMs: 60_000, memberFirstMs: 5_000 },
    ...{ drainMs: 3_000, stallMs: 500, startAgainMs: 60_000 },
    ...{ reportMs: Math.max(3_000, leaseMs), mostBehind: 1_000, mostClockOffMs: 1_000 },
  };
}

/** Deadline of an agent's call to etcd. */
export function callMsFor(leaseMs: number): number {
  return Math.min(mostCallMs, Math.round(leaseMs * callShare));
}
