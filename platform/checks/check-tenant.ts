// What the check engine asks of a tenant: which things to check, how, and how to record what was seen. The engine knows
// neither backends nor endpoints; it brings shards, timing, starvation and fall/rise.
import type { HeldLease } from '../leases.ts';

export type CheckedStatus = 'UP' | 'DOWN' | 'UNKNOWN';

export interface CheckTarget {
  /** Stable and unique in the tenant: decides the shard. */
  readonly id: string;
  readonly intervalMs: number;
  /** Deadline of one check; `signal` is aborted then. */
  readonly timeoutMs: number;
  /** As last recorded: where fall/rise counting begins after a takeover. */
  readonly status: CheckedStatus;
  /** Changes when the target must be checked anew at once (address, credentials); omit when it never does. */
  readonly revision?: string;
}

/** What one check saw. `detail` is the tenant's own. */
export interface CheckReading<Detail> {
  readonly up: boolean;
  /** What was wrong; null when nothing was. */
  readonly message: string | null;
  readonly detail: Detail | null;
}

/** A conclusive check; what a starved checker saw is never handed on. */
export interface CheckObservation<Target, Detail> {
  readonly target: Target;
  readonly outcome: 'UP' | 'DOWN';
  readonly message: string | null;
  readonly detail: Detail | null;
  readonly latencyMs: number;
  /** When it ended. */
  readonly at: Date;
  /** After fall/rise. */
  readonly status: CheckedStatus;
  readonly statusBefore: CheckedStatus;
}

export interface CheckTenant<Target extends CheckTarget, Detail> {
  /** Part of lease names: lower-case letters and hyphens. */
  readonly name: string;
  /** All targets of all shards. */
  listTargets(): Promise<readonly Target[]>;
  /** Resolves with what was seen; a target that does not answer is `up: false`, not an exception. */
  check(target: Target, options: { readonly signal: AbortSignal }): Promise<CheckReading<Detail>>;
  /** From now on this worker checks only these: whatever is kept for others may go. */
  retain?(ids: ReadonlySet<string>): Promise<void>;
  /** In one transaction that begins with `checkLease(tx, lease)`: a worker that lost the shard writes nothing. */
  record(batch: readonly CheckObservation<Target, Detail>[], lease: HeldLease): Promise<void>;
}
