// Kinds of status events: each subgraph declares its own in its row, and only declared kinds can be written. docs/events.md and
// the check of a subscription's filter are derived from them.
import type { CmpObjectKey } from '../pages/cmp-object.ts';

interface EventKind {
  /** Type of the subject in the graph, for example Backend. */
  readonly subject: string;
  /** Valid values of `from` and `to`. */
  readonly values: readonly string[];
  /** When it is written: becomes docs/events.md. */
  readonly meaning: string;
}

/** By name, for example backend.circuit. */
export type EventKinds = Readonly<Record<string, EventKind>>;

/** Keeps names and values as literal types. */
export function declareEvents<const Kinds extends EventKinds>(kinds: Kinds): Kinds {
  return kinds;
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
    /** For people; cut at 1024 characters. */
    readonly reason?: string | null;
    /** Default: the current request. */
    readonly requestId?: string | null;
    /** The CMP object of the subject, or of what the subject is a part of. Default: none. */
    readonly cmpObject?: CmpObjectKey | null;
  };
}[keyof Kinds & string];
