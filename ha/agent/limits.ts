// The limits of an agent, derived from the lease: a long lease waits longer for hosts that are slow, and notices later that one is gone.

export interface Limits {
  /** The server is given up after this long without a heartbeat commit. */
  readonly heartbeatMs: number;
  /** The longest time that a commit waits for its member. */
  readonly detachMs: number;
  /**
   * Time for a host to connect with its account before commits wait for it. The host first applies the transactions that it has received.
   * Once it is connected, it gets more time to receive.
   */
  readonly inviteMs: number;
  /** Time that a host that should follow waits for an invitation, to avoid connecting twice. */
  readonly askMs: number;
  /** Time for the admission after the invitation. */
  readonly admitMs: number;
  /** After a missing acknowledgement, a host must have reported for this long before commits wait for it again. */
  readonly againMs: number;
  readonly startMs: number;
  /** Time that the last primary leaves the lead to its member. */
  readonly memberFirstMs: number;
  /** A member that needs longer than this to apply what it received leaves the lead to a last primary that is back. */
  readonly drainMs: number;
  /** Sessions are ended if a host that is being promoted has applied nothing for this long. */
  readonly stallMs: number;
  /** After its server ended at a start, a last primary does not count as back for this long. */
  readonly startAgainMs: number;
  /** Maximum age of a valid report. */
  readonly reportMs: number;
  /** Maximum lag in transactions for a member to be admitted, and for applying on the next primary. */
  readonly mostBehind: number;
  /** A clock that differs by more than this from every other clock counts as off. */
  readonly mostClockOffMs: number;
}

/** Shortest and longest lease. etcd counts whole seconds. */
export const [leastLeaseMs, mostLeaseMs] = [1_000, 60_000];
/** Commits of clients wait for a lost member no longer than this, whatever the lease. */
const mostDetachMs = 3_000;
/** A call to etcd must leave time for further ones before the fence. */
const callShare = 0.3;
const mostCallMs = 3_000;
/** The longest lease after lost leads is four times the usual one. */
const mostDoublings = 2;

/** After leads that ended because their hosts were slow, the next one lasts longer. */
export function leaseAfter(lateLeads: number, leaseMs: number): number {
  return Math.min(mostLeaseMs, leaseMs * 2 ** Math.min(lateLeads, mostDoublings));
}

/** How long after the moment before its last renewal a primary is fenced. */
export function fenceAfterMsFor(leaseMs: number): number {
  return (leaseMs * 2) / 3;
}

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
