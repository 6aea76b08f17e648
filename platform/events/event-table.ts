// Reads sequenced events from the table. Every page begins with the event before it, which proves the reader's position: a history
// rewritten by a failover, or events removed by retention, are always noticed. Data of a former primary is rejected: every read
// returns its timeline, which must not be older than that of an earlier read.
import type { Condition, Database } from '../database/database.ts';
import { NoPrimaryError } from '../errors/database-errors.ts';
import { type CmpObjectKey, storedCmpObject } from '../pages/cmp-object.ts';

/** An event with its position in the one order that all readers see. */
export interface SequencedEvent {
  /** UUID. Null if only administrators see the event. */
  readonly projectId: string | null;
  readonly kind: string;
  /** Type in the graph. */
  readonly subjectType: string;
  /** UUID. */
  readonly subjectId: string;
  /** When the event was written. Null if it had none, or the event is older than its column. */
  readonly subjectName: string | null;
  /** The subject's version after the change. */
  readonly subjectVersion: number;
  /** Null at creation. */
  readonly from: string | null;
  readonly to: string;
  readonly reason: string | null;
  readonly requestId: string | null;
  /** Of the subject, or of what the subject is a part of. */
  readonly cmpObject: CmpObjectKey | null;
  readonly seq: number;
  /** UUID of the event. */
  readonly id: string;
  /** On the database's clock. */
  readonly at: Date;
  /** Epoch of the timeline on which it was read. */
  readonly timeline: number;
}

/** A sequenced event without its timeline. */
export type PastEvent = Omit<SequencedEvent, 'timeline'>;

/** A position in the stream: after the event `seq`; 0 and '' before the first. */
export interface Position {
  readonly seq: number;
  readonly eventId: string;
}

interface Bounds {
  /** The oldest event that is kept. */
  readonly oldestSeq: number;
  /** The newest sequenced one; 0 when there is none. */
  readonly lastSeq: number;
  readonly epoch: number;
}

type Page =
  | { readonly kind: 'events'; readonly epoch: number | undefined; readonly events: readonly SequencedEvent[] }
  /** The event at the position is missing, or is another one. */
  | { readonly kind: 'displaced' };

/** The data is older than an earlier read, so it came from a server that is no longer the primary. */
class OutdatedReadError extends NoPrimaryError {
  constructor() {
    super('the events were read from a former primary of the database');
    this.name = 'OutdatedReadError';
  }
}

/** Matching events, up to a position. */
type MatchingPage =
  | { readonly kind: 'events'; readonly events: readonly SequencedEvent[]; readonly end: Position }
  | { readonly kind: 'displaced' };

/** The most rows that one statement reads: if few events match, it may have to read many. */
const mostLookedAt = 50_000;

/** An event as its columns have it. */
export interface EventRow extends Omit<PastEvent, 'cmpObject'> {
  readonly cmpNamespace: string | null;
  readonly cmpType: string | null;
  readonly cmpId: string | null;
}

interface Row extends EventRow {
  readonly epoch: number;
}

export const eventColumns =
  'seq, event_id AS id, at, project_id AS projectId, kind, subject_type AS subjectType, subject_id AS subjectId, subject_name AS subjectName, subject_version AS subjectVersion, from_status AS `from`, to_status AS `to`, reason, request_id AS requestId, cmp_namespace AS cmpNamespace, cmp_type AS cmpType, cmp_id AS cmpId';

const newestEpoch = '(SELECT MAX(epoch) FROM db_timeline) AS epoch';

const columns = `${eventColumns}, ${newestEpoch}`;

export class EventTable {
  readonly #db: Database;
  #epoch = 0;

  constructor(db: Database) {
    this.#db = db;
  }

  /** Like all reads here, throws OutdatedReadError. */
  async bounds(): Promise<Bounds> {
    const [row] = await this.#db.query<Bounds>(
      `SELECT oldest_seq AS oldestSeq, next_seq - 1 AS lastSeq, ${newestEpoch} FROM status_sequencer WHERE id = 1`,
    );
    if (row === undefined) throw new Error('status_sequencer is empty: apply the migrations');
    this.#believe(row.epoch);
    return row;
  }

  /** The UUID of the event at `seq`; undefined when there is none. */
  async eventIdAt(seq: number): Promise<string | undefined> {
    const [row] = await this.#db.query<{ id: string | null; epoch: number }>(
      `SELECT (SELECT event_id FROM status_change WHERE seq = ?) AS id, ${newestEpoch}`,
      [seq],
    );
    this.#believe(row?.epoch ?? 0);
    return row?.id ?? undefined;
  }

  /** Up to `limit` events after a position, in order. Throws when they are not dense: a bug in the sequencer. */
  async after(position: Position, limit: number): Promise<Page> {
    const rows = await this.#db.query<Row>(`SELECT ${columns} FROM status_change WHERE seq >= ? ORDER BY seq LIMIT ?`, [
      Math.max(position.seq, 1),
      limit + 1,
    ]);
    const epoch = rows[0]?.epoch;
    if (epoch !== undefined) this.#believe(epoch);
    const fresh = position.seq === 0 ? rows : rows.slice(1);
    if (position.seq > 0 && (rows[0]?.seq !== position.seq || rows[0].id !== position.eventId))
      return this.#displaced(position);
    if (position.seq === 0 && rows[0] !== undefined && rows[0].seq !== 1) return this.#displaced(position);
    fresh.forEach((row, index) => {
      const wanted = position.seq + 1 + index;
      if (row.seq !== wanted) throw new Error(`invariant: the event after ${wanted - 1} is ${row.seq}, not ${wanted}`);
    });
    return { kind: 'events', epoch, events: fresh.map(toEvent) };
  }

  /**
   * Up to `limit` of the matching events after `position` and up to `tail`, in order: it stops before `tail` if they are many, or
   * if there are too many to read. `end`: no matching event before it was left out.
   */
  async matching(position: Position, tail: Position, condition: Condition, limit: number): Promise<MatchingPage> {
    const lastSeq = Math.min(position.seq + mostLookedAt, tail.seq);
    const rows = await this.#db.query<Row>(
      `SELECT ${columns} FROM status_change WHERE seq > ? AND seq <= ? AND ${condition.sql} ORDER BY seq LIMIT ?`,
      [position.seq, lastSeq, ...condition.values, limit],
    );
    // Read afterwards: retention removes the oldest first, so nothing was missing after a position that still exists.
    const proofs = await this.#db.query<{ seq: number; id: string }>(
      'SELECT seq, event_id AS id FROM status_change WHERE seq IN (?, ?)',
      [Math.max(position.seq, 1), lastSeq],
    );
    const proven = proofs.find(({ seq }) => seq === Math.max(position.seq, 1));
    const last = proofs.find(({ seq }) => seq === lastSeq);
    if (proven === undefined) return this.#displaced(position);
    if (last === undefined) return this.#displaced({ seq: lastSeq, eventId: undefined });
    if (position.seq > 0 && proven.id !== position.eventId) return this.#displaced(position);
    if (rows[0] !== undefined) this.#believe(rows[0].epoch);
    const events = rows.map(toEvent);
    const lastRead = events.at(-1);
    const end = events.length === limit && lastRead !== undefined ? lastRead : last;
    return { kind: 'events', events, end: { seq: end.seq, eventId: end.id } };
  }

  /** Whether a timeline after `epoch` began with a loss. */
  async lossySince(epoch: number): Promise<boolean> {
    const sql = `SELECT EXISTS (SELECT 1 FROM db_timeline WHERE epoch > ? AND lossy = 1) AS lossy, ${newestEpoch}`;
    const [row] = await this.#db.query<{ lossy: number; epoch: number }>(sql, [epoch]);
    this.#believe(row?.epoch ?? 0);
    return row?.lossy === 1;
  }

  /** A read without rows has no timeline: the position is looked at again, in a read that has one. */
  async #displaced({
    seq,
    eventId,
  }: {
    readonly seq: number;
    /** Undefined: any. */
    readonly eventId: string | undefined;
  }): Promise<{ readonly kind: 'displaced' }> {
    const id = await this.eventIdAt(Math.max(seq, 1));
    if (id === undefined || (seq > 0 && eventId !== undefined && id !== eventId)) return { kind: 'displaced' };
    throw new OutdatedReadError();
  }

  #believe(epoch: number): void {
    if (epoch < this.#epoch) throw new OutdatedReadError();
    this.#epoch = epoch;
  }
}

function toEvent({ epoch, ...row }: Row): SequencedEvent {
  return { ...toPastEvent(row), timeline: epoch };
}

export function toPastEvent({ cmpNamespace, cmpType, cmpId, ...event }: EventRow): PastEvent {
  return { ...event, cmpObject: storedCmpObject({ cmpNamespace, cmpType, cmpId }) };
}
