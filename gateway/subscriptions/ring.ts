// A bounded piece of a shared stream: the last items, which each client reads at its own pace. A slow client costs only its
// position; one that falls behind the ring is told so and starts a ring of its own.
import type { Cursor } from '../../platform/events/cursor.ts';
import { StreamEnded, type StreamItem } from './upstream.ts';

export type Source = (after: Cursor | undefined, signal: AbortSignal) => AsyncGenerator<StreamItem, void, void>;

/** A position in a ring: index of the next item to read, counted from the ring's first. */
export interface RingReader {
  index: number;
}

export class Ring {
  readonly #capacity: number;
  readonly #items: (StreamItem | undefined)[];
  readonly #readers = new Set<RingReader>();
  readonly #waiting = new Set<() => void>();
  readonly #abort = new AbortController();
  #next = 0;
  /** All items after it, up to `#end`, are or were here. Advances as old items are dropped. */
  #start: Cursor | undefined;
  #end: Cursor | undefined;
  #checkpoint: StreamItem | undefined;
  #origin: Cursor | undefined;
  /** Index that the fastest reader has reached: at most one ring of items is read ahead of it. */
  #fastest = 0;
  #roomWanted: (() => void) | undefined;
  /** True when it has reached the present: clients that start now may join. */
  live: boolean;
  /** The ring in which its readers continue after its end. */
  successor: Ring | undefined;
  ended: StreamEnded | undefined;

  constructor(capacity: number, after: Cursor | undefined) {
    this.#capacity = capacity;
    this.#items = new Array<StreamItem | undefined>(capacity);
    this.#start = after;
    this.#end = after;
    this.live = after === undefined;
  }

  /** Cursor of its first item ever: the start of a ring that began now, without a cursor. */
  get origin(): Cursor | undefined {
    return this.#origin;
  }

  get end(): Cursor | undefined {
    return this.#end;
  }

  /** Index of the oldest available item. */
  get first(): number {
    return Math.max(0, this.#next - this.#capacity);
  }

  get next(): number {
    return this.#next;
  }

  get readerCount(): number {
    return this.#readers.size;
  }

  /** True when no more items follow: all readers have left, and it has no successor. */
  get abandoned(): boolean {
    return this.#abort.signal.aborted && this.successor === undefined;
  }

  /** Reads the source until it ends or the ring is closed. Calls `onAdvance` after each item. */
  async run(source: Source, onAdvance: () => void): Promise<void> {
    try {
      for await (const item of source(this.#start, this.#abort.signal)) {
        // Retired, or left by all, while the item was on its way. A ring that took over its readers must not be merged into it.
        if (this.#abort.signal.aborted) return;
        this.#push(item);
        onAdvance();
        while (this.#next - this.#fastest >= this.#capacity && !this.#abort.signal.aborted)
          await new Promise<void>((resolve) => {
            this.#roomWanted = resolve;
          });
      }
    } catch (error) {
      this.ended =
        error instanceof StreamEnded
          ? error
          : new StreamEnded([{ message: 'Internal error.', extensions: { code: 'INTERNAL' } }]);
      this.#wakeReaders();
      if (!(error instanceof StreamEnded)) throw error;
    }
  }

  /** True when all items after `cursor` are here or will be. */
  covers(cursor: Cursor): boolean {
    const start = this.#start;
    const end = this.#end;
    if (start === undefined || end === undefined) return false;
    if (start.timeline !== cursor.timeline || end.timeline !== cursor.timeline) return false;
    return start.seq <= cursor.seq && cursor.seq <= end.seq;
  }

  /** True when it starts at or before the other. */
  reachesBackTo(other: Ring): boolean {
    const mine = this.#start;
    const theirs = other.#start;
    return mine !== undefined && theirs !== undefined && mine.seq <= theirs.seq;
  }

  /** Starts a reader: after `cursor`, which the ring covers, or at its end. */
  enter(reader: RingReader, cursor: Cursor | undefined): void {
    let index = this.#next;
    if (cursor !== undefined) while (index > this.first && seqOf(this.#at(index - 1)) > cursor.seq) index -= 1;
    reader.index = index;
    this.#readers.add(reader);
    this.noteRead(reader);
  }

  leave(reader: RingReader): void {
    this.#readers.delete(reader);
    if (reader.index < this.#fastest) return;
    this.#fastest = 0;
    for (const other of this.#readers) this.#fastest = Math.max(this.#fastest, other.index);
  }

  /** The item at a reader's position; undefined at the end. Only for positions that are not dropped yet. */
  peek(reader: RingReader): StreamItem | undefined {
    return reader.index < this.#next ? this.#at(reader.index) : undefined;
  }

  noteRead(reader: RingReader): void {
    if (reader.index <= this.#fastest) return;
    this.#fastest = reader.index;
    this.#roomWanted?.();
  }

  /** A checkpoint at the ring's end, for a client that starts now; undefined while none was seen. */
  checkpointNow(): StreamItem | undefined {
    const known = this.#checkpoint;
    const last = this.#next === 0 ? undefined : this.#at(this.#next - 1);
    if (known === undefined || last === undefined) return undefined;
    const text = known.text.replaceAll(JSON.stringify(known.cursorText), JSON.stringify(last.cursorText));
    return { cursor: last.cursor, cursorText: last.cursorText, text, checkpoint: true };
  }

  /** Resolves with the next item, successor or end; `wake` lets a reader stop waiting. */
  changed(onWaker: (wake: () => void) => void): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        this.#waiting.delete(wake);
        resolve();
      };
      this.#waiting.add(wake);
      onWaker(wake);
    });
  }

  /** Transfers its readers. */
  retire(successor: Ring): void {
    this.successor = successor;
    if (this.live) successor.live = true;
    this.close();
  }

  close(): void {
    this.#abort.abort();
    this.#roomWanted?.();
    this.#wakeReaders();
  }

  #push(item: StreamItem): void {
    const dropped = this.#next >= this.#capacity ? this.#at(this.#next - this.#capacity) : undefined;
    if (dropped !== undefined) this.#start = dropped.cursor;
    this.#origin ??= item.cursor;
    // On a new timeline, this ring's items of the old one are not a position to resume from.
    if (this.#start?.timeline !== item.cursor.timeline) this.#start = item.cursor;
    this.#end = item.cursor;
    this.#items[this.#next % this.#capacity] = item;
    this.#next += 1;
    if (item.checkpoint && this.#checkpoint === undefined) this.#checkpoint = item;
    this.#wakeReaders();
  }

  #at(index: number): StreamItem | undefined {
    return this.#items[index % this.#capacity];
  }

  #wakeReaders(): void {
    for (const wake of [...this.#waiting]) wake();
  }
}

function seqOf(item: StreamItem | undefined): number {
  return item?.cursor.seq ?? 0;
}
