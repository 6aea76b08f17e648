// What a cluster asks another one to catch up with it: the port, over which the changes of partitions come in their order.
import type { Version } from '../../../platform/registers/version.ts';
import type { Place } from './partition-state.ts';
import type { StoredValue } from './register.ts';

export interface PartitionHead extends Place {
  readonly epoch: number;
  /** Which numbering: 32 hexadecimal digits. A database that was made anew has another one. */
  readonly log: string;
  /** The number of the last change. */
  readonly changes: number;
}

export interface Heads {
  /** Given back with the next request: then only what has moved since is told. */
  readonly mark: string;
  /** Of partitions that it holds, and that are ready. */
  readonly heads: readonly PartitionHead[];
  /** Undefined: a cluster that does not tell it. */
  readonly whole?: WholeHeads | undefined;
}

/** What the heads that were told so far are sure to have in them: a look at the database tells each process what the others of its cluster did. */
export interface WholeHeads {
  /** All that was there so long ago, by the clock of who tells it. */
  readonly agoMs: number;
  /** Only of these rings: it votes in each partition that it holds of them, in this epoch. */
  readonly rings: readonly { readonly ring: number; readonly epoch: number }[];
}

export interface WantedChanges extends Place {
  readonly epoch: number;
  readonly log: string;
  /** The changes after this one. */
  readonly after: number;
}

export interface RegisterChange {
  readonly number: number;
  /** 32 hexadecimal digits. */
  readonly scope: string;
  readonly name: string;
  readonly version: Version;
  /** Undefined: deleted. */
  readonly value: StoredValue | undefined;
}

export interface PartitionChanges extends Place {
  readonly log: string;
  /** All that changed after what was asked, up to this number, is here. A register that has changed again since comes with a later one. */
  readonly upTo: number;
  /** Nothing had a later number. Otherwise a register of an earlier one may be lacking, as it has changed again. */
  readonly isWhole: boolean;
  readonly changes: readonly RegisterChange[];
}

export interface CatchUpPeer {
  /** @param mark that of the last answer; '' for all */
  heads(mark: string): Promise<Heads>;
  /** Of at most 64 partitions. One that it can't tell of (another epoch, another numbering) or that does not fit any more is left out. */
  changes(wanted: readonly WantedChanges[]): Promise<readonly PartitionChanges[]>;
}

export const mostWantedAtOnce = 64;

/** A deletion that every member has to confirm before anybody forgets it. */
export interface Tombstone {
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

export interface ForgetPeer {
  /** For each: it has this deletion, and nothing else of the name is under way. None in another epoch. */
  confirms(request: ForgetRequest): Promise<readonly boolean[]>;
  /** All members have confirmed these. */
  forget(request: ForgetRequest): Promise<void>;
}

export const mostForgottenAtOnce = 500;
