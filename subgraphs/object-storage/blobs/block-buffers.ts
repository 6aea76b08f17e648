// Buffers of a block each, for bytes on their way to or from the disk. They are used again: fresh memory of this size costs more than filling it.
import { blockBytes } from './blob-store.ts';

/** A blob of one block is written or read with its trailer in one call. */
const roomForTrailer = 32 * 1024;
const mostKept = 16;
/** Less is not worth a whole block. */
const leastLentBytes = 64 * 1024;
/** Of memory that somebody reads. */
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

  /** Of at least so many bytes. */
  takeFor(bytes: number): Buffer {
    return bytes < leastLentBytes ? Buffer.allocUnsafe(bytes) : this.take();
  }

  /** Nobody uses it any more. */
  give(buffer: Buffer): void {
    if (this.#free.length < mostKept) this.#free.push(buffer);
  }

  /** These bytes are all that somebody reads of one that was taken. Who reads them may give it back; otherwise it is freed like any other. */
  lend({ buffer }: Buffer): void {
    if (this.#own.has(buffer)) lenders.set(buffer, this);
  }
}

/** For who got a block, or a part of it, from a blob, once it is certain that nobody reads it any more. */
export function giveBack(bytes: Buffer): void {
  const { buffer } = bytes;
  const lender = lenders.get(buffer);
  if (lender === undefined) return;
  lenders.delete(buffer);
  lender.give(Buffer.from(buffer));
}
