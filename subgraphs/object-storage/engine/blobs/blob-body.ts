// Streams the bytes of a blob, or of a range of it. Each block is checked before any of its bytes are returned, and the next block is read
// ahead.
import type { BlobFile } from './blob-file.ts';
import { type ByteRange, blockBytes } from './blob-store.ts';

/** A body that nobody starts to read is closed after this time. A reader that has started has its own deadline. */
const mostUnreadMs = 60_000;

export class BlobBody implements AsyncIterableIterator<Buffer> {
  readonly #file: BlobFile;
  readonly #range: ByteRange;
  readonly #unread: NodeJS.Timeout;
  #block: number;
  #ahead: Promise<Buffer> | undefined;
  #closing: Promise<void> | undefined;
  #isGivenUp = false;

  constructor(file: BlobFile, range: ByteRange) {
    this.#file = file;
    this.#range = range;
    this.#block = Math.floor(range.firstByte / blockBytes);
    this.#unread = setTimeout(() => {
      this.#isGivenUp = true;
      void this.#close();
    }, mostUnreadMs).unref();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<Buffer>> {
    if (this.#isGivenUp) throw new Error(`nobody read the blob ${this.#file.id} for ${mostUnreadMs} ms`);
    const index = this.#block;
    const { firstByte, lastByte } = this.#range;
    const firstOfBlock = index * blockBytes;
    const isOver = this.#closing !== undefined || firstOfBlock > lastByte || lastByte < firstByte;
    if (isOver) return this.#done();
    clearTimeout(this.#unread);
    try {
      const block = await (this.#ahead ?? this.#file.block(index));
      this.#block += 1;
      this.#ahead = undefined;
      if (this.#block * blockBytes <= lastByte) {
        this.#ahead = this.#file.block(this.#block);
        // If reading ahead fails, the next call reports the failure.
        this.#ahead.catch(() => undefined);
      }
      return { done: false, value: block.subarray(Math.max(0, firstByte - firstOfBlock), lastByte + 1 - firstOfBlock) };
    } catch (error) {
      await this.#close();
      throw error;
    }
  }

  return(): Promise<IteratorResult<Buffer>> {
    return this.#done();
  }

  async #done(): Promise<IteratorResult<Buffer>> {
    await this.#close();
    return { done: true, value: undefined };
  }

  #close(): Promise<void> {
    clearTimeout(this.#unread);
    this.#closing ??= Promise.resolve(this.#ahead)
      .catch(() => undefined)
      .then(() => this.#file.close());
    return this.#closing;
  }
}
