// What one replica of a register may do: the rules that each replica keeps by itself, as functions of the row that it has. They are those of
// single-decree Paxos for conditional writes, and of a plain write that takes one round; the replica's database applies the same ones.
import { later, noVersion, type Version } from './version.ts';

/** A replica's row. */
export interface Row<Value> {
  /** Of the value; `noVersion`: nothing was written, only promised. */
  readonly version: Version;
  /** Nothing below is taken any more. */
  readonly promised: Version;
  /** Undefined: deleted, or never written. */
  readonly value: Value | undefined;
}

/** What a replica knows of a name: its row, and the highest version of a deletion that was forgotten in the name's partition. */
export interface Known<Value> {
  readonly row: Row<Value> | undefined;
  readonly floor: Version;
}

/** What was written: a value, or undefined for a deletion. */
export type Written<Value> = Pick<Row<Value>, 'version' | 'value'>;

/** The row to store; undefined: refused. */
export type Next<Value> = Row<Value> | undefined;

const nothing = { version: noVersion, promised: noVersion, value: undefined };

/** What is known of a name without a row may be a deletion with any version up to the floor. */
function lastOf({ row = nothing, floor }: Known<unknown>): Version {
  return row.version === noVersion ? floor : row.version;
}

/** Only what is later than this can be taken. */
export function barOf(known: Known<unknown>): Version {
  return later(lastOf(known), known.row?.promised ?? noVersion);
}

/** Takes a value: written plainly, with a promise, or brought by a read or by another replica. */
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

/** Whether this very version is there. What is later does not count: it may have been decided by those who had not seen this one. */
export function has({ row = nothing }: Known<unknown>, { version }: Written<unknown>): boolean {
  return row.version === version;
}

/** Whether the row is this deletion and nothing else is under way: once all replicas have it, they may forget it. */
export function isForgettable({ row }: Known<unknown>, version: Version): boolean {
  return row !== undefined && row.version === version && row.value === undefined && row.promised <= version;
}
