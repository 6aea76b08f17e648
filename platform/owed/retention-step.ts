// What is deleted after a time: kinds of rows that are declared, and steps of retention, which delete them.
import type { Deleted } from './batches.ts';

/** Rows that are deleted a time after something happened to them. */
export interface OldRows {
  /** The kind of rows, for the log and the metrics. */
  readonly name: string;
  readonly table: string;
  /** The time from which they are kept. An index begins with the columns of `given`, followed by this one. */
  readonly column: string;
  readonly keptMs: number;
  /** Values of further columns. */
  readonly given?: Readonly<Record<string, string | null>>;
  /** SQL: a further condition. */
  readonly where?: string;
  /** The first column of the primary key. Default: id. */
  readonly key?: string;
  /** Rows of other tables that go with them: the column that refers to `key`, by table. */
  readonly parts?: Readonly<Record<string, string>>;
}

export interface RetentionStep {
  /** The kind of rows, for the log and the metrics. */
  readonly name: string;
  /** The tables from which it deletes. */
  readonly tables: readonly string[];
  /** Its rows, if they are declared. */
  readonly oldRows?: OldRows;
  /** Deletes the rows that are due, in small transactions, oldest first. If more are due than a run deletes, the next is due at once. */
  run(signal: AbortSignal): Promise<Deleted>;
  /** The number of rows that are due, up to a bound. */
  overdue?(): Promise<number>;
}
