// Follows the end of the status stream: one reader of the table for each process, shared by all its subscriptions through a ring
// of the newest events in memory.
import type { Database } from '../database/database.ts';
import type { Logger } from '../log/log.ts';
import type { CursorSealer } from '../secrets/cursor-sealer.ts';
import { Loop } from '../work/loop.ts';
import { Turns } from '../work/turns.ts';
import { pauseOf, type Wake } from '../work/wake.ts';
import { sealCursor } from './cursor.ts';
import { type EventPage, type EventPageRequest, readEventPage } from './event-page.ts';
import { EventTable, type Position, type SequencedEvent } from './event-table.ts';
import { resync } from './resume.ts';
import { EventRing } from './ring.ts';
import {
  type EventFilter,
  type FeedFilter,
  type FeedItem,
  Subscription,
  type SubscriptionSource,
} from './subscription.ts';

export type { SequencedEvent } from './event-table.ts';
export type { FeedItem } from './subscription.ts';

export interface StatusFeedOptions {
  readonly db: Database;
  readonly wake: Wake;
  readonly log: Logger;
  readonly cursors: CursorSealer;
  /** How often the table is read while wake-ups may be missed; default 100. */
  readonly pollMs?: number;
  /** Events in memory; default 10000. */
  readonly ringSize?: number;
  /** How often a reader without matching events gets a new cursor; default 30000. */
  readonly checkpointMs?: number;
}

interface Watcher {
  readonly filter: EventFilter;
  readonly seen: () => void;
}

/** How often the table is read while wake-ups arrive. */
const wokenPollMs = 1_000;
const pageSize = 1_000;
/** Limits all readers that are behind together, because they must leave connections to others. */
const pagesAtOnce = 4;
/** Read at the start, so that most clients that reconnect after a restart find their position in memory. */
const preloaded = 1_000;

export class StatusFeed {
  readonly #table: EventTable;
  readonly #wake: Wake;
  readonly #cursors: CursorSealer;
  readonly #log: Logger;
  readonly #checkpointMs: number;
  readonly #ring: EventRing;
  readonly #source: SubscriptionSource;
  readonly #subscriptions = new Set<Subscription>();
  readonly #watchers = new Set<Watcher>();
  readonly #loop: Loop;
  #tail: Position = { seq: 0, eventId: '' };
  #epoch = 0;
  #readAtMs = 0;
  #checkpointsAtMs = 0;
  #stopListening: (() => void) | undefined;
  #started = false;

  constructor(options: StatusFeedOptions) {
    const { pollMs = 100, ringSize = 10_000, checkpointMs = 30_000 } = options;
    this.#table = new EventTable(options.db);
    this.#wake = options.wake;
    this.#cursors = options.cursors;
    this.#log = options.log;
    this.#checkpointMs = checkpointMs;
    this.#ring = new EventRing(ringSize);
    this.#source = {
      table: this.#table,
      ring: this.#ring,
      cursors: this.#cursors,
      pages: new Turns(pagesAtOnce),
      epoch: () => this.#epoch,
      tail: () => this.#tail,
    };
    this.#loop = new Loop({
      name: 'status feed',
      log: options.log,
      pauseMs: () => pauseOf(this.#wake, { alone: pollMs, woken: Math.max(pollMs, wokenPollMs) }),
      run: async () => {
        const count = await this.#read();
        this.#giveCheckpoints();
        return count === pageSize;
      },
    });
  }

  /** Finds the end of the stream and follows it. Throws when the database is away. */
  async start(): Promise<void> {
    if (this.#started) return;
    await this.#begin(preloaded);
    while ((await this.#read()) === pageSize);
    this.#started = true;
    this.#stopListening = this.#wake.on('sequenced', () => this.#loop.trigger());
    this.#loop.start();
  }

  /** Ends all subscriptions; clients resume elsewhere with their cursors. */
  async stop(): Promise<void> {
    this.#started = false;
    this.#stopListening?.();
    await this.#loop.stop();
    for (const subscription of [...this.#subscriptions]) subscription.end();
  }

  /** The current position of the stream: read it, then a snapshot, then subscribe after it. */
  async currentCursor(): Promise<string> {
    this.#assertStarted();
    return sealCursor(this.#cursors, { timeline: this.#epoch, ...this.#tail });
  }

  /**
   * Events after a cursor, in order, without gaps or repetitions. Without a cursor, events from now on, with a checkpoint first. A
   * reader that has caught up with `after` gets a checkpoint once. The first pull throws a CodedError INVALID_CURSOR,
   * CURSOR_EXPIRED or RESYNC_REQUIRED, later ones the latter two. A filter function is called for every event: it must be cheap.
   * Ends with `signal`, `return()` or the feed.
   */
  subscribe(options: {
    readonly after?: string | null;
    readonly filter: FeedFilter;
    readonly signal?: AbortSignal;
  }): AsyncGenerator<FeedItem, void, void> {
    this.#assertStarted();
    const { after = null, filter, signal } = options;
    const end = () => subscription.end();
    const subscription = new Subscription({
      source: this.#source,
      after,
      filter,
      onEnd: () => {
        this.#subscriptions.delete(subscription);
        signal?.removeEventListener('abort', end);
      },
    });
    this.#subscriptions.add(subscription);
    signal?.addEventListener('abort', end, { once: true });
    if (signal?.aborted === true) end();
    return subscription.items;
  }

  /** For readers that poll, see readEventPage. */
  page(request: EventPageRequest): Promise<EventPage> {
    this.#assertStarted();
    return readEventPage(this.#source, request);
  }

  /**
   * True as soon as a matching event arrives, false at the deadline or abort. Sees events from this call on: call it first, then
   * read the state that it waits for.
   */
  waitFor(
    filter: EventFilter,
    options: { readonly timeoutMs: number; readonly signal?: AbortSignal },
  ): Promise<boolean> {
    const { timeoutMs, signal } = options;
    return new Promise((resolve) => {
      const settle = (seen: boolean) => {
        this.#watchers.delete(watcher);
        clearTimeout(timer);
        signal?.removeEventListener('abort', abort);
        resolve(seen);
      };
      const abort = () => settle(false);
      const watcher: Watcher = { filter, seen: () => settle(true) };
      const timer = setTimeout(abort, timeoutMs);
      signal?.addEventListener('abort', abort, { once: true });
      this.#watchers.add(watcher);
      if (signal?.aborted === true) abort();
    });
  }

  /**
   * For metrics and health: the newest event, the number of readers, the age of the last read of the table, and how long the oldest
   * event that a reader at the present has not passed has been here.
   */
  figures(): {
    readonly seq: number;
    readonly subscriptions: number;
    readonly readAgoMs: number;
    readonly unreadMs: number;
  } {
    const subscriptions = [...this.#subscriptions];
    return {
      seq: this.#tail.seq,
      subscriptions: subscriptions.length,
      readAgoMs: performance.now() - this.#readAtMs,
      unreadMs: subscriptions.reduce((most, each) => Math.max(most, each.unreadMs()), 0),
    };
  }

  #assertStarted(): void {
    if (!this.#started) throw new Error('the status feed is not started, or was stopped');
  }

  /** Positions the reader `back` events before the end. */
  async #begin(back: number): Promise<void> {
    for (;;) {
      const { oldestSeq, lastSeq, epoch } = await this.#table.bounds();
      const seq = lastSeq - back < oldestSeq ? (oldestSeq === 1 ? 0 : oldestSeq) : lastSeq - back;
      const eventId = seq === 0 ? '' : await this.#table.eventIdAt(seq);
      if (eventId === undefined) {
        // Retention may have removed it just now.
        if (seq < (await this.#table.bounds()).oldestSeq) continue;
        throw new Error(`the event ${seq} is missing: the status history is damaged`);
      }
      this.#tail = { seq, eventId };
      this.#epoch = epoch;
      this.#ring.reset(seq);
      return;
    }
  }

  /** Reads one page; returns how many events it had. */
  async #read(): Promise<number> {
    const page = await this.#table.after(this.#tail, pageSize);
    if (page.kind === 'displaced') return this.#startOver('the newest event is missing or a different one');
    if (page.epoch !== undefined && page.epoch !== this.#epoch) {
      if (await this.#table.lossySince(this.#epoch)) return this.#startOver(`timeline ${page.epoch} began with a loss`);
      this.#epoch = page.epoch;
    }
    this.#readAtMs = performance.now();
    for (const event of page.events) this.#ring.push(event);
    const last = page.events.at(-1);
    if (last === undefined) return 0;
    this.#tail = { seq: last.seq, eventId: last.id };
    this.#tellWatchers(page.events);
    for (const subscription of this.#subscriptions) subscription.advance();
    return page.events.length;
  }

  /** The history was rewritten: no reader may continue as if nothing had happened. */
  async #startOver(why: string): Promise<number> {
    this.#log.error({ seq: this.#tail.seq, epoch: this.#epoch, why }, 'the status history was rewritten');
    for (const subscription of [...this.#subscriptions]) subscription.end(resync());
    await this.#begin(0);
    return 0;
  }

  #tellWatchers(events: readonly SequencedEvent[]): void {
    for (const watcher of [...this.#watchers]) if (events.some((event) => watcher.filter(event))) watcher.seen();
  }

  #giveCheckpoints(): void {
    const nowMs = performance.now();
    if (nowMs < this.#checkpointsAtMs) return;
    this.#checkpointsAtMs = nowMs + Math.min(1_000, this.#checkpointMs / 2);
    for (const subscription of this.#subscriptions) subscription.checkpoint(this.#checkpointMs);
  }
}
