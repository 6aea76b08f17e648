// The port for catching up with another cluster: returns the changes of partitions in order.
import type { Version } from '../../../../platform/registers/version.ts';
import type { Place } from './partition-state.ts';
import type { StoredValue } from './register.ts';

export interface PartitionHead extends Place {
  readonly epoch: number;
  /** Identifies the numbering of changes: 32 hexadecimal digits. A recreated database has another one. */
  readonly log: string;
  /** The number of the last change. */
  readonly changes: number;
}

export interface Heads {
  /** Pass it with the next request to get only what has moved since. */
  readonly mark: string;
  /** Partitions that it holds and that are ready. */
  readonly heads: readonly PartitionHead[];
  /** Undefined if the cluster does not report it. */
  readonly whole?: WholeHeads | undefined;
}

/** What the heads returned so far are certain to include. A poll of the database shows each process what the other processes of its cluster did. */
export interface WholeHeads {
  /** They include everything that existed this long ago, by the clock of the answering cluster. */
  readonly agoMs: number;
  /** Applies only to these rings: the cluster votes in each partition of them that it holds, in this epoch. */
  readonly rings: readonly { readonly ring: number; readonly epoch: number }[];
}

export interface WantedChanges extends Place {
  readonly epoch: number;
  readonly log: string;
  /** Number after which changes are wanted. */
  readonly after: number;
}

export interface RegisterChange {
  readonly number: number;
  /** 32 hexadecimal digits. */
  readonly scope: string;
  readonly name: string;
  readonly version: Version;
  /** Undefined if deleted. */
  readonly value: StoredValue | undefined;
}

export interface PartitionChanges extends Place {
  readonly log: string;
  /** Includes all changes after the requested number, up to this one. A register that has changed again since comes with a later number. */
  readonly upTo: number;
  /** No change has a later number. If false, a register with an earlier number may be missing because it has changed again. */
  readonly isWhole: boolean;
  readonly changes: readonly RegisterChange[];
}

export interface CatchUpPeer {
  /** @param mark the mark of the last answer, or '' for all heads */
  heads(mark: string): Promise<Heads>;
  /** For at most 64 partitions. Leaves out those with another epoch or numbering, and those that no longer fit. */
  changes(wanted: readonly WantedChanges[]): Promise<readonly PartitionChanges[]>;
}

export const mostWantedAtOnce = 64;

/** A deletion. Every member must confirm it before any of them forgets it. */
interface Tombstone {
  /** 32 hexadecimal digits. */
  readonly scope: string;
  readonly name: string;
  readonly version: Version;
}

export interface ForgetRequest extends Place {
  readonly epoch: number;
  /** At most 500. */
  readonly tombstones: readonly Tombstone[];
}

export interface TombstonePeer {
  /** For each tombstone: whether this cluster has this deletion and no other operation on the name is open. All false in another epoch. */
  confirms(request: ForgetRequest): Promise<readonly boolean[]>;
  /** All members have confirmed these. */
  forget(request: ForgetRequest): Promise<void>;
}

export const mostForgottenAtOnce = 500;
