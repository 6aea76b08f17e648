// The bytes of a blob, or of a range of it, while they are read: each block is checked before any of it is given, and the next one is read
// meanwhile.
import type { BlobFile } from './blob-file.ts';
import { type ByteRange, blockBytes } from './blob-store.ts';

/** What nobody begins to read is let go. Who has begun has a deadline of its own. */
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
    if (this.#isGivenUp) throw new Error(`the blob ${this.#file.id} was not read for ${mostUnreadMs} ms`);
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
        // Its failure is that of the next call.
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
