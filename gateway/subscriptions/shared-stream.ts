// All clients of the same selection with the same rights, regardless of their filters. They share rings, usually one at the present. A client that
// resumes from further back, or was too slow, has its own ring until that one has caught up and the two are merged. While all have the same filter,
// it is sent to the subgraph. With a second filter, a ring without a filter starts and takes over the others: a filter's own ring then lives only
// until the subgraph has accepted the filter and sent its position.
import { type FeedFilter, openFilter } from '../access/feed-filter.ts';
import { Ring, type RingReader } from './ring.ts';
import type { Place } from './stream-cursor.ts';
import type { StreamItem } from './stream-item.ts';
import type { Source } from './upstream.ts';
import type { Share } from './user-shares.ts';

interface SharedStreamOptions {
  readonly source: Source;
  /** Limits of each ring: items, and the length of their texts. */
  readonly capacity: number;
  readonly mostLength: number;
  /** Called when the last client has left. */
  readonly onEmpty: () => void;
  /** Called with +1 and -1 as upstreams start and end. */
  readonly onUpstreams: (change: number) => void;
  readonly onFault: (error: unknown) => void;
}

/** All readers with the same filter. */
interface Group {
  readonly filter: FeedFilter;
  readers: number;
  /** The subgraph has sent items for the filter, so it is valid. */
  accepted: boolean;
}

export class SharedStream {
  readonly #options: SharedStreamOptions;
  readonly #rings = new Set<Ring>();
  readonly #groups = new Map<string, Group>();

  constructor(options: SharedStreamOptions) {
    this.#options = options;
  }

  /** Starts following after a client's cursor, or at the present. The reader must be closed. */
  follow(after: string | undefined, filter: FeedFilter = openFilter, share?: Share): StreamReader {
    const group = this.#groups.get(filter.key) ?? { filter, readers: 0, accepted: false };
    this.#groups.set(filter.key, group);
    group.readers += 1;
    return new StreamReader(this, { filter: group.filter, after, share });
  }

  /** The same place with its position, if the subgraph sent the cursor here recently. */
  known(text: string): Place {
    for (const ring of this.#rings) {
      const cursor = ring.find(text);
      if (cursor !== undefined) return cursor;
    }
    return text;
  }

  /** The ring in which to continue. Undefined for the present. */
  place(after: Place | undefined, filter: FeedFilter, share?: Share): Ring {
    const accepted = this.#groups.get(filter.key)?.accepted === true;
    for (const ring of this.#rings) {
      if (ring.ended !== undefined) continue;
      if (ring.filter.key !== filter.key && !(ring.filter === openFilter && accepted)) continue;
      if (after === undefined ? ring.live : ring.covers(after, filter, true)) return ring;
    }
    // The gathering ring starts first, so that it reaches back to the beginning of the other.
    if (this.#groups.size > 1 && ![...this.#rings].some(isGathering)) this.#begin(openFilter, undefined);
    return this.#begin(filter, after, share);
  }

  /** A reader has left a ring. */
  left(ring: Ring): void {
    if (ring.readerCount > 0 || (this.#groups.size > 1 && isGathering(ring))) return;
    ring.close();
    this.#rings.delete(ring);
  }

  /** A reader has left. */
  closed(filter: FeedFilter): void {
    const group = this.#groups.get(filter.key);
    if (group === undefined) return;
    group.readers -= 1;
    if (group.readers > 0) return;
    this.#groups.delete(filter.key);
    if (this.#groups.size < 2) for (const ring of [...this.#rings]) this.left(ring);
    if (this.#groups.size === 0) this.#options.onEmpty();
  }

  /** Sends the position of the stream to readers that got nothing for this long. */
  giveCheckpoints(olderThanMs: number, nowMs: number): void {
    for (const ring of this.#rings) if (ring.filter === openFilter) ring.giveCheckpoints(olderThanMs, nowMs);
  }

  /** Ends all rings, with or without readers. */
  close(): void {
    for (const ring of this.#rings) ring.close();
  }

  #begin(filter: FeedFilter, after: Place | undefined, share?: Share): Ring {
    const { capacity, mostLength } = this.#options;
    const ring = new Ring({ capacity, mostLength, filter, after });
    this.#rings.add(ring);
    this.#options.onUpstreams(1);
    const wanted = (facets: readonly string[] | undefined) => [...this.#rings].some((each) => each.wants(facets));
    ring
      .run(this.#options.source, { wanted, catchUps: share?.catchUps }, () => this.#advanced(ring))
      .catch(this.#options.onFault)
      .finally(() => {
        this.#rings.delete(ring);
        this.#options.onUpstreams(-1);
      });
    return ring;
  }

  #advanced(ring: Ring): void {
    const group = this.#groups.get(ring.filter.key);
    if (group !== undefined) group.accepted = true;
    for (const other of [...this.#rings]) if (takesIn(ring, other)) this.#handOver(other, ring);
    // Another ring can adopt its readers without waiting for its next item.
    const successor = [...this.#rings].find((other) => takesIn(other, ring));
    if (successor !== undefined) this.#handOver(ring, successor);
  }

  #handOver(ring: Ring, successor: Ring): void {
    this.#rings.delete(ring);
    ring.retire(successor);
  }
}

/** True for a ring that readers with any filter may join now. */
function isGathering(ring: Ring): boolean {
  return ring.filter === openFilter && ring.live && ring.ended === undefined;
}

/** Whether `ring` adopts the readers of another, whose end it covers. If filters are equal, the ring that reaches further back does. */
function takesIn(ring: Ring, other: Ring): boolean {
  const { end } = other;
  if (other === ring || ring.ended !== undefined || other.ended !== undefined || end === undefined) return false;
  if (other.filter.key === ring.filter.key) return ring.covers(end, other.filter, false) && ring.reachesBackTo(other);
  return isGathering(ring) && other.begun && ring.covers(end, other.filter, true);
}

/** One client's position in a shared stream. */
export class StreamReader {
  readonly #stream: SharedStream;
  readonly #share: Share | undefined;
  readonly #place: RingReader;
  #ring: Ring;
  /** The client's position: everything up to it was delivered, or did not match. */
  #cursor: Place | undefined;
  #closed = false;

  constructor(
    stream: SharedStream,
    {
      filter,
      after,
      share,
    }: { readonly filter: FeedFilter; readonly after: string | undefined; readonly share: Share | undefined },
  ) {
    this.#stream = stream;
    this.#share = share;
    this.#place = { filter, index: 0, afterSeq: -1, wake: undefined, givenAtMs: performance.now(), offer: undefined };
    const place = after === undefined ? undefined : stream.known(after);
    this.#ring = stream.place(place, filter, share);
    // The first item: a checkpoint for a client that begins at the present in a running ring.
    if (after === undefined) this.#place.offer = this.#ring.checkpointNow();
    this.#cursor = place ?? this.#ring.end;
    this.#ring.enter(this.#place, place);
  }

  /** The next item. Undefined once closed. Throws StreamEnded. */
  async next(): Promise<StreamItem | undefined> {
    const place = this.#place;
    for (;;) {
      if (this.#closed) return undefined;
      if (place.offer !== undefined) {
        const { offer } = place;
        place.offer = undefined;
        return this.#give(offer);
      }
      const ring = this.#ring;
      const item = place.index < ring.first ? undefined : ring.read(place);
      if (place.index < ring.first || (item !== undefined && item.text === undefined)) {
        this.#cursor ??= ring.origin;
        this.#moveTo(this.#stream.place(this.#cursor, place.filter, this.#share));
        continue;
      }
      if (item !== undefined) return this.#give(item);
      this.#passOver(ring);
      if (ring.successor !== undefined) {
        this.#moveTo(ring.successor);
        continue;
      }
      if (ring.ended !== undefined) throw ring.ended;
      await ring.changed(place);
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#ring.leave(this.#place);
    this.#stream.left(this.#ring);
    this.#stream.closed(this.#place.filter);
    this.#share?.release();
  }

  #give(item: StreamItem): StreamItem {
    this.#cursor = item.cursor;
    this.#place.givenAtMs = performance.now();
    return item;
  }

  /** It has read the whole ring. Skipped items did not match. */
  #passOver({ end, begun }: Ring): void {
    const cursor = this.#cursor;
    if (end === undefined || !begun) return;
    if (typeof cursor === 'object' && cursor.timeline === end.timeline && cursor.seq >= end.seq) return;
    this.#cursor = end;
  }

  /** All readers may have left the successor, or it may have dropped the needed items. The reader is then placed again. */
  #moveTo(ring: Ring): void {
    const cursor = this.#cursor;
    const { filter } = this.#place;
    const usable = !ring.abandoned && (cursor === undefined || ring.covers(cursor, filter, true));
    const target = usable ? ring : this.#stream.place(cursor, filter, this.#share);
    const left = this.#ring;
    left.leave(this.#place);
    this.#ring = target;
    target.enter(this.#place, cursor);
    this.#stream.left(left);
  }
}
