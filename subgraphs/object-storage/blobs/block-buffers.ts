// Buffers of a block each, for bytes on their way to the disk. They are used again: fresh memory of this size costs more than filling it.
import { blockBytes } from './blob-store.ts';

/** A blob of one block is written with its trailer in one call. */
const roomForTrailer = 32 * 1024;
const mostKept = 16;

export class BlockBuffers {
  readonly #free: Buffer[] = [];

  take(): Buffer {
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(blockBytes + roomForTrailer);
  }

  /** Nobody uses it any more. */
  give(buffer: Buffer): void {
    if (this.#free.length < mostKept) this.#free.push(buffer);
  }
}
