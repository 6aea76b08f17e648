// All clients of the same subscription with the same rights. They share rings: usually one, at the present; a client that resumes
// from further back, or was too slow, has a ring of its own until that one has caught up and the two are merged.
import type { Cursor } from '../../platform/events/cursor.ts';
import { Ring, type RingReader, type Source } from './ring.ts';
import type { StreamItem } from './upstream.ts';

export interface SharedStreamOptions {
  readonly source: Source;
  readonly capacity: number;
  /** Called when the last client has left. */
  readonly onEmpty: () => void;
  /** Called with +1 and -1 as upstreams start and end. */
  readonly onUpstreams: (change: number) => void;
  readonly onFault: (error: unknown) => void;
}

export class SharedStream {
  readonly #options: SharedStreamOptions;
  readonly #rings = new Set<Ring>();
  #readers = 0;

  constructor(options: SharedStreamOptions) {
    this.#options = options;
  }

  /** Starts following: after a cursor, or now. The reader must be closed. */
  follow(after: Cursor | undefined): StreamReader {
    this.#readers += 1;
    return new StreamReader(this, after);
  }

  /** The ring in which to continue after `cursor`; undefined: now. */
  place(cursor: Cursor | undefined): Ring {
    for (const ring of this.#rings) {
      if (ring.ended !== undefined) continue;
      if (cursor === undefined ? ring.live : ring.covers(cursor)) return ring;
    }
    const ring = new Ring(this.#options.capacity, cursor);
    this.#rings.add(ring);
    this.#options.onUpstreams(1);
    ring
      .run(this.#options.source, () => this.#merge(ring))
      .catch(this.#options.onFault)
      .finally(() => {
        this.#rings.delete(ring);
        this.#options.onUpstreams(-1);
      });
    return ring;
  }

  /** A reader has left a ring. */
  left(ring: Ring): void {
    if (ring.readerCount > 0) return;
    ring.close();
    this.#rings.delete(ring);
  }

  closed(): void {
    this.#readers -= 1;
    if (this.#readers === 0) this.#options.onEmpty();
  }

  /** Ends all rings, with or without readers. */
  close(): void {
    for (const ring of this.#rings) ring.close();
  }

  /** Merges in every ring whose end `ring` covers, unless that one reaches further back: it will merge this one later. */
  #merge(ring: Ring): void {
    for (const other of [...this.#rings]) {
      const { end } = other;
      if (other === ring || other.ended !== undefined || end === undefined) continue;
      if (!ring.covers(end) || !ring.reachesBackTo(other)) continue;
      this.#rings.delete(other);
      other.retire(ring);
    }
  }
}

/** One client's position in a shared stream. */
export class StreamReader {
  readonly #stream: SharedStream;
  readonly #place: RingReader = { index: 0 };
  #ring: Ring;
  /** The client's position: everything up to it was delivered, or did not match. */
  #cursor: Cursor | undefined;
  /** The first item: a checkpoint for a client that starts now in a running ring. */
  #greeting: StreamItem | undefined;
  #closed = false;
  #wake: (() => void) | undefined;

  constructor(stream: SharedStream, after: Cursor | undefined) {
    this.#stream = stream;
    this.#ring = stream.place(after);
    this.#greeting = after === undefined ? this.#ring.checkpointNow() : undefined;
    this.#cursor = after ?? this.#ring.end;
    this.#ring.enter(this.#place, after);
  }

  /** The next item; undefined once closed. Throws StreamEnded. */
  async next(): Promise<StreamItem | undefined> {
    for (;;) {
      if (this.#closed) return undefined;
      if (this.#greeting !== undefined) {
        const greeting = this.#greeting;
        this.#greeting = undefined;
        return greeting;
      }
      const ring = this.#ring;
      if (this.#place.index < ring.first) {
        this.#cursor ??= ring.origin;
        this.#moveTo(this.#stream.place(this.#cursor));
        continue;
      }
      const item = ring.peek(this.#place);
      if (item !== undefined) {
        this.#place.index += 1;
        ring.noteRead(this.#place);
        this.#cursor = item.cursor;
        return item;
      }
      if (ring.successor !== undefined) {
        this.#moveTo(ring.successor);
        continue;
      }
      if (ring.ended !== undefined) throw ring.ended;
      await ring.changed((wake) => {
        this.#wake = wake;
      });
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#wake?.();
    this.#ring.leave(this.#place);
    this.#stream.left(this.#ring);
    this.#stream.closed();
  }

  /** The successor may have been left by all readers, or have dropped what this reader needs: then it is placed again. */
  #moveTo(ring: Ring): void {
    const cursor = this.#cursor;
    const usable = !ring.abandoned && (cursor === undefined || ring.covers(cursor));
    const target = usable ? ring : this.#stream.place(cursor);
    const left = this.#ring;
    left.leave(this.#place);
    this.#ring = target;
    target.enter(this.#place, cursor);
    this.#stream.left(left);
  }
}
