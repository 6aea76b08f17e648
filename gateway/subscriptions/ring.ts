// A bounded piece of a shared stream, in items and in their length: the last items, which each client reads at its own pace. A slow client costs only its
// position; one that falls behind the ring is notified and starts its own ring. A client that has read everything waits, and only
// matching items wake it.
import type { Turns } from '../../platform/work/turns.ts';
import type { FeedFilter } from '../access/feed-filter.ts';
import { ReaderIndex } from './reader-index.ts';
import { type Place, type StreamCursor, textOf } from './stream-cursor.ts';
import type { StreamItem } from './stream-item.ts';
import { type Source, type SourceRequest, StreamEnded } from './upstream.ts';

interface RingDemand {
  readonly wanted: SourceRequest['wanted'];
  /** Turns of the user who started the ring. */
  readonly catchUps: Turns | undefined;
}

/** A position in a ring. */
export interface RingReader {
  readonly filter: FeedFilter;
  /** Index of the next item to check, counted from the ring's first. Meaningless while it waits. */
  index: number;
  /** Items up to this sequence number do not match. -1 if any item may match. */
  afterSeq: number;
  /** Set while it waits. */
  wake: (() => void) | undefined;
  /** When it last got an item, in monotonic milliseconds. */
  givenAtMs: number;
  /** The checkpoint for which it was woken. */
  offer: StreamItem | undefined;
}

interface RingOptions {
  /** Items that it keeps. */
  readonly capacity: number;
  /** Length of the texts that it keeps, in UTF-16 code units. The last item stays, regardless of its length. */
  readonly mostLength: number;
  readonly filter: FeedFilter;
  readonly after: Place | undefined;
}

export class Ring {
  readonly filter: FeedFilter;
  readonly #capacity: number;
  readonly #mostLength: number;
  readonly #items: (StreamItem | undefined)[];
  readonly #readers = new ReaderIndex<RingReader>();
  readonly #abort = new AbortController();
  #waiting = 0;
  #first = 0;
  #next = 0;
  /** Length of the retained texts. */
  #length = 0;
  /** Cursor before the retained items up to `#end`. Advances as old items are dropped. */
  #start: StreamCursor | undefined;
  #end: StreamCursor | undefined;
  #checkpoint: StreamItem | undefined;
  #origin: StreamCursor | undefined;
  readonly #after: string | undefined;
  /** Index that the fastest reader has reached. At most one ring of items is read ahead of it. */
  #fastest = 0;
  #roomWanted: (() => void) | undefined;
  /** True when it has reached the present, so that new clients may join. */
  live: boolean;
  /** The ring in which its readers continue after its end. */
  successor: Ring | undefined;
  ended: StreamEnded | undefined;

  constructor({ capacity, mostLength, filter, after }: RingOptions) {
    this.filter = filter;
    this.#capacity = capacity;
    this.#mostLength = mostLength;
    this.#items = new Array<StreamItem | undefined>(capacity);
    this.#after = after === undefined ? undefined : textOf(after);
    if (typeof after === 'object') this.#start = after;
    this.#end = this.#start;
    this.live = after === undefined;
  }

  /** Cursor of its first item ever: the start of a ring that began at the present, without a cursor. */
  get origin(): StreamCursor | undefined {
    return this.#origin;
  }

  get end(): StreamCursor | undefined {
    return this.#end;
  }

  /** Index of the oldest available item. */
  get first(): number {
    return this.#first;
  }

  get next(): number {
    return this.#next;
  }

  get readerCount(): number {
    return this.#readers.size;
  }

  /** True once the subgraph has sent an item, which means that it accepted the filter. */
  get begun(): boolean {
    return this.#origin !== undefined;
  }

  /** True when no more items follow: all readers have left, and it has no successor. */
  get abandoned(): boolean {
    return this.#abort.signal.aborted && this.successor === undefined;
  }

  /** True when an item with these facets has a reader here. */
  wants(facets: readonly string[] | undefined): boolean {
    return this.#readers.any(facets);
  }

  /** Reads the source until it ends or the ring is closed. Calls `onAdvance` after each item. */
  async run(source: Source, { wanted, catchUps }: RingDemand, onAdvance: (item: StreamItem) => void): Promise<void> {
    try {
      const { signal } = this.#abort;
      const turns = () => (this.live ? undefined : catchUps);
      for await (const item of source({ filter: this.filter, after: this.#after, wanted, turns, signal })) {
        // The ring was retired, or all readers left, while the item was on its way. A ring that adopted its readers must not be merged into it.
        if (signal.aborted) return;
        this.#push(item);
        onAdvance(item);
        while (this.#isFull() && !signal.aborted)
          await new Promise<void>((resolve) => {
            this.#roomWanted = resolve;
          });
      }
    } catch (error) {
      this.ended =
        error instanceof StreamEnded
          ? error
          : new StreamEnded([{ message: 'Internal error.', extensions: { code: 'INTERNAL' } }]);
      this.#wakeAll();
      if (!(error instanceof StreamEnded)) throw error;
    }
  }

  /**
   * True when all matching items after `cursor` are here or will arrive. `given`: the cursor came from the subgraph, so it may be ahead of the last
   * item of a ring at the present.
   */
  covers(place: Place, filter: FeedFilter, given: boolean): boolean {
    if (typeof place === 'string') return this.#continues(place);
    const cursor = place;
    const start = this.#start;
    const end = this.#end;
    if (start === undefined || end === undefined) return false;
    if (start.timeline !== cursor.timeline || end.timeline !== cursor.timeline) return false;
    if (cursor.seq < start.seq || (cursor.seq > end.seq && !(given && this.live))) return false;
    for (let index = this.#next - 1; index >= this.first; index -= 1) {
      const item = this.#at(index);
      if (item === undefined || item.cursor.seq <= cursor.seq) break;
      if (item.text === undefined && filter.passes(item.facets)) return false;
    }
    return true;
  }

  /** The cursor with that text, if the subgraph sent it here recently. */
  find(text: string): StreamCursor | undefined {
    for (let index = this.#next - 1; index >= this.first; index -= 1) {
      const cursor = this.#at(index)?.cursor;
      if (cursor?.text === text) return cursor;
    }
    return undefined;
  }

  /** True when it began after a client's cursor, and has all items since, on one timeline. */
  #continues(text: string): boolean {
    return text === this.#after && this.first === 0 && this.#origin?.timeline === this.#end?.timeline;
  }

  /** True when it starts at or before the other. */
  reachesBackTo(other: Ring): boolean {
    const mine = this.#start;
    const theirs = other.#start;
    return mine !== undefined && theirs !== undefined && mine.seq <= theirs.seq;
  }

  /** Starts a reader: after a place that the ring covers, or at its end. */
  enter(reader: RingReader, place: Place | undefined): void {
    const cursor = typeof place === 'string' ? undefined : place;
    let index = typeof place === 'string' ? 0 : this.#next;
    if (cursor !== undefined) while (index > this.first && seqOf(this.#at(index - 1)) > cursor.seq) index -= 1;
    reader.index = index;
    reader.afterSeq = cursor !== undefined && cursor.seq > (this.#end?.seq ?? cursor.seq) ? cursor.seq : -1;
    this.#readers.add(reader);
    this.#noteRead(reader);
  }

  leave(reader: RingReader): void {
    this.#wake(reader);
    this.#readers.delete(reader);
    if (reader.index < this.#fastest) return;
    this.#fastest = 0;
    for (const other of this.#readers) this.#fastest = Math.max(this.#fastest, other.index);
  }

  /**
   * The next item for a reader, whose position moves past it. Undefined at the end. An item without text had no reader when it arrived, so the reader
   * must continue elsewhere. Only for positions that have not been dropped.
   */
  read(reader: RingReader): StreamItem | undefined {
    while (reader.index < this.#next) {
      const item = this.#at(reader.index);
      if (item !== undefined && this.#isFor(reader, item)) {
        if (item.text === undefined) return item;
        reader.index += 1;
        this.#noteRead(reader);
        return item;
      }
      reader.index += 1;
    }
    this.#noteRead(reader);
    return undefined;
  }

  /** A checkpoint at the ring's end, for a client that starts at the present. Undefined if there was none. */
  checkpointNow(): StreamItem | undefined {
    const known = this.#checkpoint;
    const last = this.#next === 0 ? undefined : this.#at(this.#next - 1);
    if (known?.text === undefined || last === undefined) return undefined;
    if (known.cursor.text === last.cursor.text) return known;
    const text = known.text.replaceAll(JSON.stringify(known.cursor.text), JSON.stringify(last.cursor.text));
    this.#checkpoint = { cursor: last.cursor, facets: undefined, text, checkpoint: true };
    return this.#checkpoint;
  }

  /** Resolves with the next item for the reader, a checkpoint, the successor or the end. */
  changed(reader: RingReader): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting += 1;
      reader.wake = resolve;
      this.#roomWanted?.();
    });
  }

  /** Sends the position of the stream to readers that got nothing for this long. */
  giveCheckpoints(olderThanMs: number, nowMs: number): void {
    for (const reader of this.#readers) {
      if (reader.wake === undefined || nowMs - reader.givenAtMs < olderThanMs) continue;
      // Such a reader's upstream sends checkpoints itself.
      if (reader.filter.key === this.filter.key || reader.afterSeq > seqOf(this.#at(this.#next - 1))) continue;
      reader.offer = this.checkpointNow();
      if (reader.offer !== undefined) this.#wake(reader);
    }
  }

  /** Transfers its readers. */
  retire(successor: Ring): void {
    this.successor = successor;
    if (this.live && this.filter.key === successor.filter.key) successor.live = true;
    this.close();
  }

  close(): void {
    this.#abort.abort();
    this.#roomWanted?.();
    this.#wakeAll();
  }

  #push(item: StreamItem): void {
    this.#makeRoom(lengthOf(item));
    this.#origin ??= item.cursor;
    // On a new timeline, items of the old one give no position to resume from.
    if (this.#start?.timeline !== item.cursor.timeline) this.#start = item.cursor;
    if (this.#end !== undefined && this.#end.timeline !== item.cursor.timeline)
      for (const reader of this.#readers) reader.afterSeq = -1;
    this.#end = item.cursor;
    this.#items[this.#next % this.#capacity] = item;
    const index = this.#next;
    this.#next += 1;
    this.#length += lengthOf(item);
    if (item.checkpoint && this.#checkpoint === undefined) this.#checkpoint = item;
    for (const reader of this.#readers.readersOf(item.facets))
      if (reader.wake !== undefined && item.cursor.seq > reader.afterSeq) this.#wake(reader, index);
  }

  /** Drops the oldest items for a new one of that length. */
  #makeRoom(length: number): void {
    const isFull = () => this.#next - this.#first >= this.#capacity || this.#length + length > this.#mostLength;
    while (this.#first < this.#next && isFull()) {
      const oldest = this.#at(this.#first);
      if (oldest !== undefined) this.#start = oldest.cursor;
      this.#length -= lengthOf(oldest);
      this.#items[this.#first % this.#capacity] = undefined;
      this.#first += 1;
    }
  }

  #isFor(reader: RingReader, item: StreamItem): boolean {
    if (item.cursor.seq <= reader.afterSeq) return false;
    return reader.filter.key === this.filter.key || reader.filter.passes(item.facets);
  }

  /** A ring without readers keeps only items that are wanted elsewhere, and continues. */
  #isFull(): boolean {
    if (this.#waiting > 0 || this.#readers.size === 0) return false;
    return this.#next - this.#fastest >= this.#capacity || this.#aheadLength() >= this.#mostLength / 2;
  }

  /** Length of the items that the fastest reader has not read. Limited to half of the ring, so that none of them is dropped for the next one. */
  #aheadLength(): number {
    let length = 0;
    for (let index = Math.max(this.#fastest, this.#first); index < this.#next; index += 1)
      length += lengthOf(this.#at(index));
    return length;
  }

  #at(index: number): StreamItem | undefined {
    return this.#items[index % this.#capacity];
  }

  #noteRead(reader: RingReader): void {
    if (reader.index <= this.#fastest) return;
    this.#fastest = reader.index;
    this.#roomWanted?.();
  }

  #wake(reader: RingReader, index = this.#next): void {
    const { wake } = reader;
    if (wake === undefined) return;
    reader.wake = undefined;
    reader.index = index;
    this.#waiting -= 1;
    this.#fastest = Math.max(this.#fastest, index);
    wake();
  }

  #wakeAll(): void {
    for (const reader of this.#readers) this.#wake(reader);
  }
}

function lengthOf(item: StreamItem | undefined): number {
  return item?.text?.length ?? 0;
}

function seqOf(item: StreamItem | undefined): number {
  return item?.cursor.seq ?? 0;
}
