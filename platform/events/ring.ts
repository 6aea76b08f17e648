// The newest events of the stream in memory, by sequence number: bounded, and shared by all readers of a process.
import { invariant } from '../errors/errors.ts';
import type { SequencedEvent } from './event-table.ts';

export class EventRing {
  readonly #slots: (SequencedEvent | undefined)[];
  /** Monotonic milliseconds, by slot. */
  readonly #arrivedMs: Float64Array;
  #firstSeq = 1;
  #lastSeq = 0;

  constructor(size: number) {
    this.#slots = new Array<SequencedEvent | undefined>(size).fill(undefined);
    this.#arrivedMs = new Float64Array(size);
  }

  /** Sequence number of the newest event so far; also when the ring is empty. */
  get lastSeq(): number {
    return this.#lastSeq;
  }

  /** Sequence number of the oldest event in it. */
  get firstSeq(): number {
    return this.#firstSeq;
  }

  /** Empties it; the next event must be `lastSeq + 1`. */
  reset(lastSeq: number): void {
    this.#slots.fill(undefined);
    this.#firstSeq = lastSeq + 1;
    this.#lastSeq = lastSeq;
  }

  push(event: SequencedEvent): void {
    invariant(event.seq === this.#lastSeq + 1, `event ${event.seq} does not follow ${this.#lastSeq}`);
    this.#slots[event.seq % this.#slots.length] = event;
    this.#arrivedMs[event.seq % this.#slots.length] = performance.now();
    this.#lastSeq = event.seq;
    this.#firstSeq = Math.max(this.#firstSeq, event.seq - this.#slots.length + 1);
  }

  get(seq: number): SequencedEvent | undefined {
    return seq >= this.#firstSeq && seq <= this.#lastSeq ? this.#slots[seq % this.#slots.length] : undefined;
  }

  /**
   * When the event after `seq` came, in monotonic milliseconds; of one that is no longer here, when the oldest one that is came.
   * Undefined if there is none.
   */
  arrivalAfter(seq: number): number | undefined {
    const next = Math.max(seq + 1, this.#firstSeq);
    return next > this.#lastSeq ? undefined : this.#arrivedMs[next % this.#slots.length];
  }
}
