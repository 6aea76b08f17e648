// Kinds of status events: each subgraph declares its own in its row, and only declared kinds can be written. docs/events.md and
// the check of a subscription's filter are derived from them.
import type { CmpObjectKey } from '../pages/cmp-object.ts';

interface DeclaredKind {
  /** Type of the subject in the graph, for example Backend. */
  readonly subject: string;
  /** Valid values of `from` and `to`. */
  readonly values: readonly string[];
  /** When it is written: becomes docs/events.md. */
  readonly meaning: string;
}

interface EventKind extends DeclaredKind {
  /** SQL of the subject's name; its parameter is the subject's UUID. Null or absent: only the writer knows it, or there is none. */
  readonly nameSql?: string | null;
}

/** By name, for example backend.circuit. */
export type EventKinds = Readonly<Record<string, EventKind>>;

/** Keeps names and values as literal types. `names`: see EventKind.nameSql, by the type of the subject. */
export function declareEvents<const Kinds extends Readonly<Record<string, DeclaredKind>>>(
  names: Readonly<Record<Kinds[keyof Kinds]['subject'], string | null>>,
  kinds: Kinds,
): Kinds {
  const named = Object.entries(kinds).map(([kind, each]): [string, EventKind] => {
    return [kind, { ...each, nameSql: names[each.subject as Kinds[keyof Kinds]['subject']] }];
  });
  return Object.fromEntries(named) as unknown as Kinds;
}

/** SQL of a name that is in a column of the subject's own row. */
export function columnOf(table: string, column = 'name'): string {
  return `SELECT ${column} FROM ${table} WHERE id = ?`;
}

/** One change of one subject's status, of a declared kind. */
export type StatusEvent<Kinds extends EventKinds = EventKinds> = {
  readonly [Kind in keyof Kinds & string]: {
    readonly kind: Kind;
    /** UUID. Null if only administrators see it. */
    readonly projectId: string | null;
    /** UUID. */
    readonly subjectId: string;
    /** The subject's version after the change. */
    readonly subjectVersion: number;
    /** Null at creation. */
    readonly from: Kinds[Kind]['values'][number] | null;
    readonly to: Kinds[Kind]['values'][number];
    /** Cut at 255 characters. Default: the kind's `nameSql`, which finds none of what the transaction has removed. */
    readonly subjectName?: string | null;
    /** For people; cut at 1024 characters. */
    readonly reason?: string | null;
    /** Default: the current request. */
    readonly requestId?: string | null;
    /** The CMP object of the subject, or of what the subject is a part of. Default: none. */
    readonly cmpObject?: CmpObjectKey | null;
  };
}[keyof Kinds & string];
