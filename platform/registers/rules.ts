// The rules of one replica of a register, as functions of its row. Each replica keeps them by itself. They are the rules of
// single-decree Paxos for conditional writes, and of a plain write that takes one round. The replica's database applies the same
// rules.
import { later, noVersion, type Version } from './version.ts';

/** A replica's row. */
export interface Row<Value> {
  /** Version of the value. `noVersion` if nothing was written, only promised. */
  readonly version: Version;
  /** Nothing below is taken any more. */
  readonly promised: Version;
  /** Undefined if deleted or never written. */
  readonly value: Value | undefined;
}

/** A replica's state of a name: its row, and the highest version of a deletion that was forgotten in the name's partition. */
export interface Known<Value> {
  readonly row: Row<Value> | undefined;
  readonly floor: Version;
}

/** A written value, or undefined for a deletion. */
export type Written<Value> = Pick<Row<Value>, 'version' | 'value'>;

/** The row to store. Undefined if the replica refuses. */
export type Next<Value> = Row<Value> | undefined;

const nothing = { version: noVersion, promised: noVersion, value: undefined };

/** If a name has no row, it may have had a deletion with any version up to the floor. */
function lastOf({ row = nothing, floor }: Known<unknown>): Version {
  return row.version === noVersion ? floor : row.version;
}

/** Only a version later than this can be taken. */
export function barOf(known: Known<unknown>): Version {
  return later(lastOf(known), known.row?.promised ?? noVersion);
}

/** Takes a value that was written plainly or with a promise, or was copied by a read or by another replica. */
export function accept<Value>(known: Known<Value>, { version, value }: Written<Value>): Next<Value> {
  const { row = nothing } = known;
  if (row.version === version && version !== noVersion) return row;
  if (version <= lastOf(known) || version < row.promised) return undefined;
  return { version, promised: version, value };
}

/** Promises to take nothing below the ballot. Only one process proposes with a ballot, and it may ask again. */
export function promise<Value>(known: Known<Value>, ballot: Version): Next<Value> {
  const { row = nothing } = known;
  if (row.promised === ballot && lastOf(known) < ballot) return row;
  return ballot <= barOf(known) ? undefined : { ...row, promised: ballot };
}

/**
 * Whether the replica has exactly this version. A later version does not count, because replicas that had not seen this one may
 * have decided it.
 */
export function has({ row = nothing }: Known<unknown>, { version }: Written<unknown>): boolean {
  return row.version === version;
}

/** Whether the row is this deletion and no other write is under way. Once this holds on all replicas, they may forget the deletion. */
export function isForgettable({ row }: Known<unknown>, version: Version): boolean {
  return row !== undefined && row.version === version && row.value === undefined && row.promised <= version;
}
