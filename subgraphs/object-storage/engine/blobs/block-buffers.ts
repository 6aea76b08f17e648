// Reusable buffers of one block each, for bytes on their way to or from the disk. Fresh memory of this size costs more than filling it.
import { blockBytes } from './blob-store.ts';

/** Lets a blob of one block be read or written with its trailer in one call. */
const roomForTrailer = 32 * 1024;
const mostKept = 16;
/** Smaller reads are not worth a whole block. */
const leastLentBytes = 64 * 1024;
/** The pool of each buffer that is lent to a reader. */
const lenders = new WeakMap<ArrayBufferLike, BlockBuffers>();

export class BlockBuffers {
  readonly #free: Buffer[] = [];
  readonly #own = new WeakSet<ArrayBufferLike>();

  take(): Buffer {
    const free = this.#free.pop();
    if (free !== undefined) return free;
    const made = Buffer.allocUnsafeSlow(blockBytes + roomForTrailer);
    this.#own.add(made.buffer);
    return made;
  }

  /** At least this many bytes. */
  takeFor(bytes: number): Buffer {
    return bytes < leastLentBytes ? Buffer.allocUnsafe(bytes) : this.take();
  }

  /** The buffer is no longer in use. */
  give(buffer: Buffer): void {
    if (this.#free.length < mostKept) this.#free.push(buffer);
  }

  /** Only these bytes of a taken buffer are being read. The reader may give the buffer back; otherwise it is freed like any other memory. */
  lend({ buffer }: Buffer): void {
    if (this.#own.has(buffer)) lenders.set(buffer, this);
  }
}

/** Call it with a block, or a part of one, that came from a blob, once nobody reads it any more. */
export function giveBack(bytes: Buffer): void {
  const { buffer } = bytes;
  const lender = lenders.get(buffer);
  if (lender === undefined) return;
  lenders.delete(buffer);
  lender.give(Buffer.from(buffer));
}
