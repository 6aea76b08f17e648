// One reader of the stream. It pulls at its own position, from the shared ring or, when it is behind, from the table: a slow
// reader has no queue that could grow or overflow.

import type { CursorSealer } from '../secrets/cursor-sealer.ts';
import { pullStream } from '../work/pull-stream.ts';
import type { Turns } from '../work/turns.ts';
import { sealCursor } from './cursor.ts';
import type { EventTable, Position, SequencedEvent } from './event-table.ts';
import { conditionOf, type HistoryFilter, matchesFilter } from './filter.ts';
import { displaced, resumeAt } from './resume.ts';
import type { EventRing } from './ring.ts';

export interface FeedItem {
  /** Opaque: resumes after this item. */
  readonly cursor: string;
  /** Null for a checkpoint, which only advances the cursor. */
  readonly event: SequencedEvent | null;
}

export type EventFilter = (event: SequencedEvent) => boolean;

/** With a function, a reader that is behind reads all events. */
export type FeedFilter = EventFilter | HistoryFilter;

export interface SubscriptionSource {
  readonly table: EventTable;
  readonly cursors: CursorSealer;
  readonly ring: EventRing;
  /** Shared by the readers that are behind and read from the table. */
  readonly pages: Turns;
  /** The newest timeline seen. */
  epoch(): number;
  /** The position that the ring has reached. */
  tail(): Position;
}

interface SubscriptionOptions {
  readonly source: SubscriptionSource;
  readonly after: string | null;
  readonly filter: FeedFilter;
  readonly onEnd: (subscription: Subscription) => void;
}

const pageSize = 500;

export class Subscription {
  /** The stream for its reader. */
  readonly items: AsyncGenerator<FeedItem, void, void>;
  readonly #source: SubscriptionSource;
  readonly #filter: EventFilter;
  readonly #historyFilter: HistoryFilter | undefined;
  readonly #onEnd: (subscription: Subscription) => void;
  readonly #after: string | null;
  #position: Position | undefined;
  /** The rest of a page from the table. */
  #page: readonly SequencedEvent[] = [];
  #pageIndex = 0;
  /** The position after the page: no matching event before it remains. */
  #pageEnd: Position | undefined;
  #caughtUp = false;
  #ended = false;
  #failure: unknown;
  #resume: ((item: FeedItem | undefined) => void) | undefined;
  #turn: Promise<unknown> = Promise.resolve();
  #lastItemAtMs = performance.now();

  constructor(options: SubscriptionOptions) {
    this.#source = options.source;
    this.#after = options.after;
    const { filter } = options;
    this.#filter = typeof filter === 'function' ? filter : (event) => matchesFilter(filter, event);
    this.#historyFilter = typeof filter === 'function' ? undefined : filter;
    this.#onEnd = options.onEnd;
    this.items = pullStream({ next: () => this.#inTurn(), end: () => this.end() });
    // Without a cursor it starts now, not at the first pull.
    if (options.after === null) this.#position = options.source.tail();
  }

  /** Ends it; a given error is thrown at the next pull. */
  end(failure?: unknown): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#failure = failure;
    this.#page = [];
    this.#resume?.(undefined);
    this.#onEnd(this);
  }

  /** The ring has new events. Costs a filter call for each while the reader waits, and nothing otherwise. */
  advance(): void {
    if (this.#resume === undefined) return;
    const item = this.#attempt(() => this.#fromRing());
    if (item !== undefined) this.#resume(item);
  }

  /** Gives a waiting reader a checkpoint when nothing has matched for a while. */
  checkpoint(olderThanMs: number): void {
    if (this.#resume === undefined || performance.now() - this.#lastItemAtMs < olderThanMs) return;
    this.#resume(this.#checkpointItem());
  }

  /** How long the oldest event that it has not passed has been here. 0 for a reader that has never caught up. */
  unreadMs(): number {
    const arrivedMs = this.#caughtUp ? this.#source.ring.arrivalAfter(this.#place().seq) : undefined;
    return arrivedMs === undefined ? 0 : performance.now() - arrivedMs;
  }

  #inTurn(): Promise<FeedItem | undefined> {
    const item = this.#turn.then(() => this.#next());
    this.#turn = item.catch(() => undefined);
    return item;
  }

  async #next(): Promise<FeedItem | undefined> {
    const item = this.#ended ? undefined : await this.#take().catch((error: unknown) => this.end(error));
    this.#lastItemAtMs = performance.now();
    // An event found at the moment of the end is not delivered: the reader resumes with its cursor.
    if (item !== undefined && !this.#ended) return item;
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure !== undefined) throw failure;
    return undefined;
  }

  async #take(): Promise<FeedItem | undefined> {
    const { table, cursors } = this.#source;
    if (this.#position === undefined) this.#position = await resumeAt(table, cursors, this.#after ?? '');
    // Without a cursor the first item is a checkpoint, even if events have happened since.
    if (this.#after === null && !this.#caughtUp) return this.#sayCaughtUp();
    for (;;) {
      if (this.#ended) return undefined;
      const item = this.#fromPage() ?? this.#fromRing();
      if (item !== undefined) return item;
      const { seq } = this.#place();
      if (seq < this.#source.ring.lastSeq) await this.#readPage();
      else return this.#caughtUp ? this.#wait() : this.#sayCaughtUp();
    }
  }

  /** Runs once: all later events are new. */
  #sayCaughtUp(): FeedItem {
    this.#caughtUp = true;
    return this.#checkpointItem();
  }

  #wait(): Promise<FeedItem | undefined> {
    return new Promise((resolve) => {
      this.#resume = (item) => {
        this.#resume = undefined;
        resolve(item);
      };
    });
  }

  #fromPage(): FeedItem | undefined {
    for (let event = this.#page[this.#pageIndex]; event !== undefined; event = this.#page[this.#pageIndex]) {
      this.#pageIndex += 1;
      if (this.#pass(event)) return this.#itemOf(event);
    }
    this.#page = [];
    if (this.#pageEnd !== undefined) this.#position = this.#pageEnd;
    this.#pageEnd = undefined;
    return undefined;
  }

  #fromRing(): FeedItem | undefined {
    const { ring } = this.#source;
    for (let event = ring.get(this.#place().seq + 1); event !== undefined; event = ring.get(event.seq + 1))
      if (this.#pass(event)) return this.#itemOf(event);
    return undefined;
  }

  #pass(event: SequencedEvent): boolean {
    this.#position = { seq: event.seq, eventId: event.id };
    return this.#filter(event);
  }

  async #readPage(): Promise<void> {
    const place = this.#place();
    const page = await this.#source.pages.run(() => this.#pageAfter(place));
    if (page.kind === 'events') {
      this.#page = page.events;
      this.#pageIndex = 0;
      this.#pageEnd = page.end;
      return;
    }
    throw await displaced(this.#source.table, place.seq);
  }

  async #pageAfter(place: Position) {
    const { table, tail } = this.#source;
    if (this.#historyFilter === undefined) return { ...(await table.after(place, pageSize)), end: undefined };
    const condition = conditionOf(this.#historyFilter);
    if (condition === undefined) return { kind: 'events', events: [], end: tail() } as const;
    return table.matching(place, tail(), condition, pageSize);
  }

  #place(): Position {
    return this.#position ?? { seq: 0, eventId: '' };
  }

  #checkpointItem(): FeedItem {
    const { seq, eventId } = this.#place();
    return { cursor: sealCursor(this.#source.cursors, { timeline: this.#source.epoch(), seq, eventId }), event: null };
  }

  #itemOf(event: SequencedEvent): FeedItem {
    const { timeline, seq, id: eventId } = event;
    return { cursor: sealCursor(this.#source.cursors, { timeline, seq, eventId }), event };
  }

  /** For calls from outside of a pull: an error in a filter ends this reader only. */
  #attempt<T>(work: () => T): T | undefined {
    try {
      return work();
    } catch (error) {
      this.end(error);
      return undefined;
    }
  }
}
