// What the check engine asks of a tenant: which things to check, with which probes, and how to record what was seen. The engine
// knows neither backends nor endpoints; it brings shards, timing, starvation and fall/rise.
import type { HeldLease } from '../leases.ts';
import type { CheckReading, Probe } from './probe.ts';

export type CheckedStatus = 'UP' | 'DOWN' | 'UNKNOWN';

export interface CheckTarget {
  /** Stable and unique in the tenant: decides the shard. */
  readonly id: string;
  /** Name of one of the tenant's probes. */
  readonly probe: string;
  /** As the probe's schema says. */
  readonly parameters: unknown;
  readonly intervalMs: number;
  /** Deadline of one check. */
  readonly timeoutMs: number;
  /** Failures in a row that make DOWN, successes in a row that make UP. Default 2 and 1. */
  readonly fall?: number;
  readonly rise?: number;
  /** How soon a result that speaks against the status is confirmed, unless the interval is shorter. Default 1000. */
  readonly confirmMs?: number;
  /** As last recorded: where fall/rise counting begins after a takeover. */
  readonly status: CheckedStatus;
  /** Changes when the target must be checked anew at once (address, credentials). */
  readonly revision: string;
}

/** A conclusive check; what a starved checker saw is never handed on. */
export interface CheckObservation<Detail = unknown> extends Omit<CheckReading<Detail>, 'up' | 'notable'> {
  readonly targetId: string;
  readonly outcome: 'UP' | 'DOWN';
  readonly latencyMs: number;
  /** When it ended. */
  readonly at: Date;
  /** After fall/rise. */
  readonly status: CheckedStatus;
  readonly statusBefore: CheckedStatus;
}

/** Some of the shards into which targets are divided by `shardOf`. */
export interface Shards {
  readonly count: number;
  readonly wanted: ReadonlySet<number>;
}

export interface TargetChanges {
  /** Added, or perhaps changed; of any shard. */
  readonly targets: readonly CheckTarget[];
  /** Ids of those that are no longer to be checked. */
  readonly gone: readonly string[];
  readonly cursor: string;
}

/** The port for targets: a list by shard, then changes by cursor. */
export interface CheckTargets {
  /** The targets of these shards, and a cursor after which no change to them is missed. */
  listTargets(shards: Shards): Promise<{ readonly targets: readonly CheckTarget[]; readonly cursor: string }>;
  /** What changed since; undefined when that is no longer known: the targets are listed anew. */
  changesAfter(cursor: string): Promise<TargetChanges | undefined>;
}

/** The port for results. */
export interface CheckResults<Detail = unknown> {
  /** All or nothing. Throws LeaseLostError, and records nothing, when the lease's shard is another's now. */
  record(batch: readonly CheckObservation<Detail>[], lease: HeldLease): Promise<void>;
}

/** The port for leases: `Leases` has it in the database, `MemoryLeases` for one process. */
export interface CheckLeases {
  /** Undefined: someone else holds it. */
  acquire(name: string): Promise<HeldLease | undefined>;
  live(prefix: string): Promise<readonly { readonly name: string; readonly owner: string }[]>;
}

export interface CheckTenant<Detail = unknown> extends CheckTargets, CheckResults<Detail> {
  /** Part of lease names: lower-case letters and hyphens. */
  readonly name: string;
  readonly probes: readonly Probe<never>[];
  /** About 1,000 targets a shard; the same in all workers. Default 8. */
  readonly shardCount?: number;
  /** Checks at once that are expected to answer. Default 1024. */
  readonly slots?: number;
  /** Observations a second that are recorded though no status changed. Default 50. */
  readonly samplesPerSecond?: number;
  /** From now on this worker checks only these: whatever is kept for others may go. */
  retain?(ids: ReadonlySet<string>): Promise<void>;
}
