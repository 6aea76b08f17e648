// Judges a client's own log only by the written events and the received items.
import { eventKey } from './writers.ts';

export interface LogEntry {
  readonly seq: number;
  readonly subjectId: string;
  readonly version: number;
  readonly atMs: number;
}

export interface Verdict {
  readonly gaps: number;
  readonly duplicates: number;
  readonly outOfOrder: number;
}

type Event = Pick<LogEntry, 'subjectId' | 'version'>;

/** Judges a client's own log against its expected events. With `all`, the numbers must also be dense. */
export function judgeLog(
  log: readonly (Event & Pick<LogEntry, 'seq'>)[],
  wanted: readonly Event[],
  options: { readonly all: boolean },
): Verdict {
  const seen = new Set<string>();
  const versions = new Map<string, number>();
  let duplicates = 0;
  let outOfOrder = 0;
  let holes = 0;
  let lastSeq = 0;
  for (const entry of log) {
    const key = eventKey(entry);
    if (seen.has(key)) duplicates += 1;
    else if (entry.seq <= lastSeq || entry.version <= (versions.get(entry.subjectId) ?? 0)) outOfOrder += 1;
    if (options.all && entry.seq > lastSeq + 1) holes += 1;
    seen.add(key);
    versions.set(entry.subjectId, entry.version);
    lastSeq = entry.seq;
  }
  const missing = wanted.filter((event) => !seen.has(eventKey(event))).length;
  return { gaps: Math.max(missing, holes), duplicates, outOfOrder };
}

/** An item as a client received it from the graph. */
export interface LoggedItem {
  /** From the cursor. */
  readonly seq: number;
  /** Undefined for a checkpoint, which only advances the cursor. */
  readonly event: (Event & { readonly eventId: string }) | undefined;
  readonly atMs: number;
}

/** An event in the table. */
export interface TableRow extends Event {
  readonly seq: number;
  readonly eventId: string;
  readonly kind: string;
  readonly subjectType: string;
}

export interface ClientVerdict extends Verdict {
  /** Items that differ from the table's event at their cursor, or that the client did not request. */
  readonly wrong: number;
  /**
   * Checkpoints before events that were already delivered, or after events that were not. A client that resumes there would get an event
   * twice, or never.
   */
  readonly falseCheckpoints: number;
}

/** Judges a client's own log against the table rows that it requested, in order of their numbers. */
export function judgeItems(items: readonly LoggedItem[], wanted: readonly TableRow[]): ClientVerdict {
  const bySeq = new Map(wanted.map((row) => [row.seq, row]));
  const events = items.flatMap(({ seq, event, atMs }) => (event === undefined ? [] : [{ seq, atMs, ...event }]));
  const wrong = events.filter((event) => {
    const row = bySeq.get(event.seq);
    return row?.eventId !== event.eventId || row.subjectId !== event.subjectId || row.version !== event.version;
  });
  return {
    ...judgeLog(events, wanted, { all: false }),
    wrong: wrong.length,
    falseCheckpoints: countFalseCheckpoints(items, wanted),
  };
}

function countFalseCheckpoints(items: readonly LoggedItem[], wanted: readonly TableRow[]): number {
  const delivered = new Set<number>();
  let lastSeq = 0;
  let next = 0;
  let count = 0;
  for (const { seq, event } of items) {
    if (event !== undefined) delivered.add(seq);
    else {
      let skipped = false;
      for (let row = wanted[next]; row !== undefined && row.seq <= seq; row = wanted[next]) {
        if (!delivered.has(row.seq)) skipped = true;
        next += 1;
      }
      if (skipped || seq < lastSeq) count += 1;
    }
    lastSeq = Math.max(lastSeq, seq);
  }
  return count;
}
