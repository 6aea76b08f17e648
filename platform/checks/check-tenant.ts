// The interface between the check engine and its tenants: the targets, their probes, and the recording of results. The engine
// knows neither backends nor endpoints; it provides shards, timing, starvation detection and fall/rise.

import type { HeldLease } from '../leases/leases.ts';
import type { EgressPolicy } from '../net/egress.ts';
import type { CheckReading, Probe } from './probe.ts';

export type CheckedStatus = 'UP' | 'DOWN' | 'UNKNOWN';

export interface CheckTarget {
  /** Stable and unique in the tenant: determines the shard. */
  readonly id: string;
  /** Name of one of the tenant's probes. */
  readonly probe: string;
  /** Validated by the probe's schema. */
  readonly parameters: unknown;
  readonly intervalMs: number;
  /** Deadline of one check. */
  readonly timeoutMs: number;
  /** Failures in a row that make DOWN, successes in a row that make UP. Default 2 and 1. */
  readonly fall?: number;
  readonly rise?: number;
  /** After a result that contradicts the status the next check begins this long after that one began, if it has ended. Default 1000, at most the interval. */
  readonly confirmMs?: number;
  /** Last recorded status: fall/rise counting starts from it after a takeover. */
  readonly status: CheckedStatus;
  /** Changes when the target must be checked again at once (address, credentials). */
  readonly revision: string;
}

/** A conclusive check, or a doubt (`notesDoubts`); results of a starved checker are never passed on. */
export interface CheckObservation<Detail = unknown> extends Omit<CheckReading<Detail>, 'up' | 'notable'> {
  readonly targetId: string;
  readonly outcome: 'UP' | 'DOWN';
  readonly latencyMs: number;
  /** How late checks of targets that are up have begun in this worker at most, in the last seconds. */
  readonly lateMs: number;
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
  /** Targets that were added, or perhaps changed; of any shard. */
  readonly targets: readonly CheckTarget[];
  /** Ids of targets that are no longer checked. */
  readonly gone: readonly string[];
  readonly cursor: string;
}

/** The port for targets: a list by shard, then changes by cursor. */
export interface CheckTargets {
  /** The targets of these shards, and a cursor that misses no later change to them. */
  listTargets(shards: Shards): Promise<{ readonly targets: readonly CheckTarget[]; readonly cursor: string }>;
  /** Changes since the cursor; undefined when they are no longer known, and the targets are listed again. */
  changesAfter(cursor: string): Promise<TargetChanges | undefined>;
  /** Calls back when there are changes, so that they are asked for at once. Returns a function that ends that. */
  onChange?(listener: () => void): () => void;
}

/** The port for results. */
export interface CheckResults<Detail = unknown> {
  /** All or nothing. Throws LeaseLostError, and records nothing, when another worker has the lease of the shard. */
  record(batch: readonly CheckObservation<Detail>[], lease: HeldLease): Promise<void>;
}

/** The port for leases: `Leases` keeps them in the database, `MemoryLeases` in one process. */
export interface CheckLeases {
  /** Undefined if another owner holds it. */
  acquire(name: string): Promise<HeldLease | undefined>;
  /** `leftMs`: the time after which it ends unless it is renewed. Undefined if it does not end by itself. */
  live(
    prefix: string,
  ): Promise<readonly { readonly name: string; readonly owner: string; readonly leftMs?: number | undefined }[]>;
}

export interface CheckTenant<Detail = unknown> extends CheckTargets, CheckResults<Detail> {
  /** Part of lease names: lower-case letters and hyphens. */
  readonly name: string;
  readonly probes: readonly Probe<never>[];
  /** About 1,000 targets per shard. The number must be the same in all workers. Default 8. */
  readonly shardCount?: number;
  /** Slots for checks that are expected to answer. Default 1024. */
  readonly slots?: number;
  /** Most samples per second that are recorded without a change of status. Default 50. */
  readonly samplesPerSecond?: number;
  /** Replaces the egress policy of the process for these targets. Users don't choose where they are. */
  readonly egress?: EgressPolicy;
  /**
   * Its targets are independent of each other. If all of them fail at once, the worker is probably cut off. The worker then judges
   * none of them, and hands its shards to other workers, if there are any.
   */
  readonly handsOver?: true;
  /**
   * Doubts are recorded at once: the first failed check of a target that is up, and one that has had no answer for some time; and so is
   * the success that ends the doubt.
   */
  readonly notesDoubts?: true;
  /** From now on this worker checks only these targets: resources kept for others may be released. */
  retain?(ids: ReadonlySet<string>): Promise<void>;
}
